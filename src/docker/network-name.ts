import { explainBadLabelKey, explainBadSubdomain } from '../api/names.js';
import { hashHex } from '../base/hash.js';

const HASH_CHARACTERS = 8;
/** A label key takes 63, and so it is one for every profile that we name. */
const MAX_CHARACTERS = 63;

/**
 * The profile of a Docker network: its name where that can name a profile and a label, as `net1` can; else what is left of it in
 * lower case, with a hash that keeps `My_Net` and `my-net` apart.
 */
export function profileName(network: string): string {
  if (explainBadSubdomain(network) === undefined && explainBadLabelKey(network) === undefined) return network;
  const kept = network
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_CHARACTERS - HASH_CHARACTERS - 1)
    .replaceAll(/^-+|-+$/g, '');
  return `${kept === '' ? 'network' : kept}-${hashHex('sha256', network).slice(0, HASH_CHARACTERS)}`;
}

/** The name of the pool of a subnet whose addresses Docker gives: `192.168.50.0/24` → `192-168-50-0-24`. */
export function poolName(cidr: string): string {
  return cidr.replaceAll(/[.:/]/g, '-').replace(/^-+/, '0-').replace(/-+$/, '');
}
