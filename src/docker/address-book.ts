import type { Clock } from '../base/clock.js';

/** Addresses that this host's engine has from us, with when they were given: what a look for leaks must leave alone. */
export class AddressBook {
  readonly #clock: Clock;
  readonly #sinceMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(address: string): void {
    this.#sinceMs.set(address, this.#clock.monotonicMs());
  }

  has(address: string): boolean {
    return this.#sinceMs.has(address);
  }

  forget(address: string): void {
    this.#sinceMs.delete(address);
  }

  /** Given to the engine less than so long ago: the container may not show it yet. */
  isYoung(address: string, ageMs: number): boolean {
    const since = this.#sinceMs.get(address);
    return since !== undefined && this.#clock.monotonicMs() - since < ageMs;
  }
}
