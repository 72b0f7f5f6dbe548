import type { Datastore } from '../datastore/datastore.js';
import { addToAddress, addressBits, type Address } from '../net/address.js';
import { addressInPrefix, type Prefix, prefixContains, prefixesOverlap, tryParsePrefix } from '../net/prefix.js';

/** What IPReservations keep out of automatic assignment. An address that somebody asks for by itself may be reserved. */
export class Reservations {
  readonly #prefixes: readonly Prefix[];

  constructor(prefixes: readonly Prefix[]) {
    this.#prefixes = prefixes;
  }

  has(address: Address): boolean {
    return this.#prefixes.some((prefix) => addressInPrefix(address, prefix));
  }

  /** The reservation in which the block lies whole. */
  around(block: Prefix): Prefix | undefined {
    return this.#prefixes.find((prefix) => prefixContains(prefix, block));
  }

  /** True when every address of the block is reserved, be it by several reservations together. */
  takeAllOf(block: Prefix): boolean {
    if (this.around(block) !== undefined) return true;
    const within = new Reservations(this.#prefixes.filter((prefix) => prefixesOverlap(prefix, block)));
    if (within.#prefixes.length === 0) return false;
    const size = 2 ** (addressBits(block.address.family) - block.length);
    for (let ordinal = 0; ordinal < size; ordinal += 1) {
      if (!within.has(addToAddress(block.address, ordinal))) return false;
    }
    return true;
  }

  /** How many addresses of the prefix are reserved; exact up to 2^53. */
  countWithin(prefix: Prefix): number {
    const bits = addressBits(prefix.address.family);
    const reserved = this.#prefixes.filter((each) => prefixesOverlap(each, prefix));
    return disjoint(reserved).reduce((sum, { length }) => sum + 2 ** (bits - Math.max(length, prefix.length)), 0);
  }
}

/** The prefixes without those that lie within others: what remains does not overlap. */
function disjoint(prefixes: readonly Prefix[]): readonly Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of prefixes.toSorted((a, b) => a.length - b.length)) {
    if (!kept.some((outer) => prefixContains(outer, prefix))) kept.push(prefix);
  }
  return kept;
}

export async function readReservations(datastore: Datastore): Promise<Reservations> {
  const { items } = await datastore.list('IPReservation');
  const texts = items.flatMap(({ value }) => value.spec.reservedCIDRs ?? []);
  return new Reservations(texts.flatMap((text) => tryParsePrefix(text) ?? []));
}
