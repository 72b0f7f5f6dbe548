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
}

export async function readReservations(datastore: Datastore): Promise<Reservations> {
  const { items } = await datastore.list('IPReservation');
  const texts = items.flatMap(({ value }) => value.spec.reservedCIDRs ?? []);
  return new Reservations(texts.flatMap((text) => tryParsePrefix(text) ?? []));
}
