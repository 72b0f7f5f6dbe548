import type { Family } from '../../net/address.js';
import { hashHex } from '../../base/hash.js';
import type { TableId } from '../../nftables/objects.js';

export type Direction = 'ingress' | 'egress';

/** Everything that judges packets. */
export const CALICO_TABLE: TableId = { family: 'inet', name: 'calico' };
/** The ARP guard; nf_tables keeps ARP apart. */
export const ARP_TABLE: TableId = { family: 'arp', name: 'calico' };

export const FROM_WORKLOAD = 'from-workload';
export const TO_WORKLOAD = 'to-workload';
/** Verdict maps from interface name to the chain of its endpoint. */
export const FROM_WORKLOAD_MAP = 'from-workload-chains';
export const TO_WORKLOAD_MAP = 'to-workload-chains';

/** NFT_CHAIN_MAXNAMELEN is 128 with the closing NUL; a little less stays readable. */
const LONGEST_NAME = 120;

/** Letters that nft accepts in an unquoted name. */
const LITERAL = /^[a-zA-Z][a-zA-Z0-9/_.-]*$/;

/** The text as part of a name: as it is when nft can print it, else cleaned and told apart by a hash. */
function nameFrom(prefix: string, text: string): string {
  const plain = `${prefix}${text}`;
  if (LITERAL.test(plain) && plain.length <= LONGEST_NAME) return plain;
  const cleaned = plain.replaceAll(/[^a-zA-Z0-9/_.-]/g, '_').slice(0, LONGEST_NAME - 13);
  return `${cleaned}-${hashHex('sha1', text).slice(0, 12)}`;
}

/** `pi-np/shop/web` (what goes into the workload) and `po-np/shop/web` for policy `np shop/web`. */
export function policyChainName(direction: Direction, policyId: string): string {
  return nameFrom(direction === 'ingress' ? 'pi-' : 'po-', policyId.replace(' ', '/'));
}

function short(direction: Direction): 'in' | 'eg' {
  return direction === 'ingress' ? 'in' : 'eg';
}

/** Chain of all endpoints whose tiers and profiles are the same in that direction; `content` says which. */
export function endpointChainName(direction: Direction, content: string): string {
  return `${short(direction)}-${hashHex('sha1', content).slice(0, 16)}`;
}

/** Chain of a tier with this list of policies; shared by all endpoints that have it. */
export function tierChainName(direction: Direction, tier: string, content: string): string {
  return nameFrom(`${short(direction)}-tier-`, `${tier}-${hashHex('sha1', content).slice(0, 16)}`);
}

/** Packets that reached the end of the tier without a verdict. */
export function endOfTierCounter(direction: Direction, tier: string): string {
  return nameFrom(`${direction}-end-of-tier-`, tier);
}

/** Packets that no profile let through. */
export function endOfProfilesCounter(direction: Direction): string {
  return `${direction}-end-of-profiles`;
}

/** A name that says a whole list may be this long; what is longer is easier to look up than to read. */
const LONGEST_LIST_NAME = 48;

/**
 * A list of a rule by its content: in words where nft can read them and they are few (`ports-80_8000-8080`,
 * `nets4-10.0.0.0/8_192.0.2.0/24`), else `nets6-5f3c…`. Whoever may write policies chooses the content, and the name decides what
 * rules of others match: the hash is long enough that nobody finds a second list for it. With two members or more, words have a `_`.
 */
export function listSetName(kind: 'ports' | 'nets4' | 'nets6', members: readonly string[]): string {
  const inWords = `${kind}-${members.join('_')}`;
  if (inWords.length <= LONGEST_LIST_NAME && LITERAL.test(inWords)) return inWords;
  return `${kind}-${hashHex('sha256', members.join(' ')).slice(0, 24)}`;
}

/** Members of a set stand apart by family, and hosts apart from prefixes: a hash is quick to change, an interval tree is not. */
export type SetForm = 'hosts' | 'prefixes' | 'ports';

export interface SetVariant {
  readonly family: Family;
  readonly form: SetForm;
}

/** `s-3kf…-v4`, `s-3kf…-v4-prefixes`, `n-88a…-v6`. */
export function setVariantName(setId: string, { family, form }: SetVariant): string {
  return nameFrom('', `${setId.replace(':', '-')}-v${family}${form === 'prefixes' ? '-prefixes' : ''}`);
}
