import { hashHex } from '../../base/hash.js';
import { type Address, formatAddress } from '../../net/address.js';

const NAME_LIMIT = 253;
const HASH_DIGITS = 8;

/**
 * The nearest name that today's rules allow: lower-case, `/` and runs that hold a dot become one dot, other odd characters a dash, no
 * dot or dash at an end.
 */
function normalised(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('/', '.')
    .replaceAll(/[^-.a-z0-9]+/g, '-')
    .replaceAll(/[-.]*\.[-.]*/g, '.')
    .replaceAll(/^[-.]+|[-.]+$/g, '');
}

/** Where a name changed, a part of its digest keeps `a_b` and `a/b` apart. */
function withDigest(original: string, changed: string): string {
  if (changed === original && changed.length <= NAME_LIMIT) return changed;
  const digest = hashHex('sha1', original).slice(0, HASH_DIGITS);
  const base = changed.slice(0, NAME_LIMIT - HASH_DIGITS - 1).replace(/[-.]+$/, '');
  return base === '' ? digest : `${base}-${digest}`;
}

/** For most names. @example convertName('Web_Front') // 'web-front-' and 8 digits */
export function convertName(name: string): string {
  return withDigest(name, normalised(name));
}

/** Policies have no dots: the part before one would be read as a tier. */
export function convertPolicyName(name: string): string {
  return withDigest(name, normalised(name).replaceAll('.', '-'));
}

/** Hosts are known by their names elsewhere too, so no digest is added: two may become one. */
export function convertNodeName(name: string): string {
  return normalised(name).slice(0, NAME_LIMIT);
}

/** Profiles of Kubernetes namespaces have another prefix today. */
export function convertProfileName(name: string): string {
  return convertName(name.replace(/^k8s_ns\./, 'kns.'));
}

/** `10.0.0.0/16` → `10-0-0-0-16`. A name begins with no dash: `::/0` → `0-0`. */
export function poolName(cidr: string): string {
  return cidr.replaceAll(/[./:]/g, '-').replace(/^-+/, '0-');
}

function groupsOf(words: readonly number[]): string[] {
  return words.flatMap((word) => [word >>> 16, word & 0xffff]).map((group) => group.toString(16).padStart(4, '0'));
}

/** An address in a name: `192-0-2-1`, `2001-0db8-0000-0000-0000-0000-0000-0001`. */
export function addressName(address: Address): string {
  return address.family === 4 ? formatAddress(address).replaceAll('.', '-') : groupsOf(address.words).join('-');
}
