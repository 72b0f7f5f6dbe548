import type { MapDelta } from './host-plan.js';
import { sameValue } from './same-value.js';

/**
 * What should be, what is, and always at hand the difference: for routes, neighbours, addresses and whatever else the kernel keeps as a
 * map. Every change costs one comparison; reading the difference costs its own size, not that of the maps.
 *
 * Tell it what is wanted, what was seen (read back, or a notification), and after a write that succeeded, that it is now seen.
 */
export class DeltaTracker<V> {
  readonly #isSame: (wanted: V, seen: V) => boolean;
  readonly #wanted = new Map<string, V>();
  readonly #seen = new Map<string, V>();
  readonly #toSet = new Map<string, V>();
  readonly #toRemove = new Set<string>();

  /** @param isSame true when what is seen needs no write; deep equality when absent */
  constructor(isSame: (wanted: V, seen: V) => boolean = sameValue) {
    this.#isSame = isSame;
  }

  get wanted(): ReadonlyMap<string, V> {
    return this.#wanted;
  }

  get seen(): ReadonlyMap<string, V> {
    return this.#seen;
  }

  /** A live view: what must be written and removed so that what is seen becomes what is wanted. */
  get delta(): MapDelta<V> {
    return { set: this.#toSet, removed: this.#toRemove };
  }

  get isSettled(): boolean {
    return this.#toSet.size === 0 && this.#toRemove.size === 0;
  }

  want(key: string, value: V): void {
    this.#wanted.set(key, value);
    this.#compare(key);
  }

  unwant(key: string): void {
    if (this.#wanted.delete(key)) this.#compare(key);
  }

  /** Applies a delta of the wanted side. */
  wantDelta(delta: MapDelta<V>): void {
    for (const [key, value] of delta.set) this.want(key, value);
    for (const key of delta.removed) this.unwant(key);
  }

  /** Replaces all that is wanted. */
  wantExactly(entries: ReadonlyMap<string, V>): void {
    for (const key of this.#wanted.keys()) if (!entries.has(key)) this.unwant(key);
    for (const [key, value] of entries) this.want(key, value);
  }

  see(key: string, value: V): void {
    this.#seen.set(key, value);
    this.#compare(key);
  }

  unsee(key: string): void {
    if (this.#seen.delete(key)) this.#compare(key);
  }

  /** Replaces all that is seen: after a read-back. */
  seeExactly(entries: ReadonlyMap<string, V>): void {
    for (const key of this.#seen.keys()) if (!entries.has(key)) this.unsee(key);
    for (const [key, value] of entries) this.see(key, value);
  }

  #compare(key: string): void {
    const wanted = this.#wanted.get(key);
    const seen = this.#seen.get(key);
    if (wanted === undefined) {
      this.#toSet.delete(key);
      if (seen === undefined) this.#toRemove.delete(key);
      else this.#toRemove.add(key);
      return;
    }
    this.#toRemove.delete(key);
    if (seen !== undefined && this.#isSame(wanted, seen)) this.#toSet.delete(key);
    else this.#toSet.set(key, wanted);
  }
}
