import { type Address, addressBits, addressBytes, addressFromBytes } from './address.js';
import type { Prefix } from './prefix.js';

function numberOf(address: Address): bigint {
  return addressBytes(address).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function addressOf(value: bigint, byteCount: number): Address {
  const bytes = Uint8Array.from({ length: byteCount }, (_, i) =>
    Number((value >> BigInt(8 * (byteCount - 1 - i))) & 255n),
  );
  return addressFromBytes(bytes);
}

/**
 * The fewest prefixes that hold the addresses from first to last and no others, in order. Both are of one family; none when last comes
 * before first.
 */
export function coverRange(first: Address, last: Address): readonly Prefix[] {
  const bits = addressBits(first.family);
  const prefixes: Prefix[] = [];
  const end = numberOf(last);
  for (let start = numberOf(first); start <= end;) {
    let length = bits as number;
    let size = 1n;
    while (length > 0 && start % (size * 2n) === 0n && start + size * 2n - 1n <= end) {
      size *= 2n;
      length -= 1;
    }
    prefixes.push({ address: addressOf(start, bits / 8), length });
    start += size;
  }
  return prefixes;
}
