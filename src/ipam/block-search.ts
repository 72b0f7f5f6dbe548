import { addressBits, addToAddress } from '../net/address.js';
import { formatPrefix } from '../net/prefix.js';
import type { Pool } from './pools.js';
import type { Reservations } from './reservations.js';

/** FNV-1, 32 bit, of UTF-8 text (http://www.isthe.com/chongo/tech/comp/fnv). */
export function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return hash;
}

/** Where a search does not look: CIDRs of the blocks that exist, and what is reserved. */
export interface Unavailable {
  readonly taken: ReadonlySet<string>;
  readonly reservations: Reservations;
}

/**
 * The first block of the pool that nobody has, searched from a place that depends on the host, so that hosts seldom want the same one.
 * Undefined when all are taken or reserved.
 *
 * @param seed any number; the same host uses the same
 */
export function findFreeBlock(pool: Pool, { taken, reservations }: Unavailable, seed: number): string | undefined {
  const { prefix, blockSize } = pool;
  const count = 2 ** (blockSize - prefix.length);
  const blockAddresses = 2 ** (addressBits(prefix.address.family) - blockSize);
  const start = seed % count;
  for (let passed = 0; passed < count;) {
    const index = (start + passed) % count;
    const block = { address: addToAddress(prefix.address, index * blockAddresses), length: blockSize };
    const reserved = reservations.around(block);
    if (reserved === undefined) {
      const cidr = formatPrefix(block);
      if (!taken.has(cidr)) return cidr;
      passed += 1;
    } else {
      // A reservation may hold a million blocks: step over it at once.
      const blocksReserved = 2 ** (blockSize - Math.max(reserved.length, prefix.length));
      passed += blocksReserved - (index % blocksReserved);
    }
  }
  return undefined;
}
