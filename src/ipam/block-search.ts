import { addressBits, addToAddress } from '../net/address.js';
import { formatPrefix } from '../net/prefix.js';
import type { Pool } from './pools.js';

/** FNV-1, 32 bit, of UTF-8 text (http://www.isthe.com/chongo/tech/comp/fnv). */
export function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return hash;
}

/**
 * The first block of the pool that nobody has, searched from a place that depends on the host, so that hosts seldom want the same one.
 * Undefined when all are taken.
 *
 * @param taken CIDRs of the blocks that exist
 * @param seed any number; the same host uses the same
 */
export function findFreeBlock(pool: Pool, taken: ReadonlySet<string>, seed: number): string | undefined {
  const { prefix, blockSize } = pool;
  const count = 2 ** (blockSize - prefix.length);
  const blockAddresses = 2 ** (addressBits(prefix.address.family) - blockSize);
  const start = seed % count;
  // Among one more block than are taken at least one is free.
  const tries = Math.min(count, taken.size + 1);
  for (let i = 0; i < tries; i += 1) {
    const index = (start + i) % count;
    const address = addToAddress(prefix.address, index * blockAddresses);
    const cidr = formatPrefix({ address, length: blockSize });
    if (!taken.has(cidr)) return cidr;
  }
  return undefined;
}
