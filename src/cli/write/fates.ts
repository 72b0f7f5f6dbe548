import { UnavailableError } from '../../base/errors.js';
import { resourceId } from '../../client/client.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { Interruption } from '../interruption.js';
import type { Failure } from '../messages.js';

/** What became of one resource of several: `unknown` was sent, and no answer came; `skipped` needed nothing done. */
type Fate = 'done' | 'skipped' | 'failed' | 'unknown' | 'untried';

/** What became of each of the resources that somebody wanted written, so that it can be told whatever happens. */
export class Fates {
  readonly #keys: readonly ResourceKey[];
  readonly #fates: Fate[];
  readonly #failures = new Map<number, Failure>();

  constructor(keys: readonly ResourceKey[]) {
    this.#keys = keys;
    this.#fates = keys.map(() => 'untried');
  }

  done(index: number): void {
    this.#fates[index] = 'done';
  }

  skipped(index: number): void {
    this.#fates[index] = 'skipped';
  }

  failed(index: number, error: unknown, failure: Failure): void {
    if (error instanceof Interruption) {
      this.stopped(failure);
      return;
    }
    this.#fates[index] = error instanceof UnavailableError ? 'unknown' : 'failed';
    this.#failures.set(index, failure);
  }

  /** Why the rest was not tried. */
  stopped(failure: Failure): void {
    this.#failures.set(this.#keys.length, failure);
  }

  /** In the order of the resources. */
  get failures(): readonly Failure[] {
    return this.failuresByPlace.map(([, failure]) => failure);
  }

  /** The same with the place of each; what stopped the rest has the place after the last. */
  get failuresByPlace(): readonly (readonly [index: number, failure: Failure])[] {
    return [...this.#failures].toSorted(([a], [b]) => a - b);
  }

  /** Each was tried and answered: its own failure says what became of it. */
  get isEnded(): boolean {
    return this.#fates.every((fate) => fate !== 'unknown' && fate !== 'untried');
  }

  count(fate: Fate): number {
    return this.#fates.filter((each) => each === fate).length;
  }

  get isWhole(): boolean {
    return this.#fates.every((fate) => fate === 'done');
  }

  /** A line that leaves no doubt about any resource where some were written and some not; the shorter of the two lists is enough. */
  account(done: string, isDryRun = false): readonly string[] {
    const written = this.#names((fate) => fate === 'done');
    const missing = this.#names((fate) => fate === 'failed' || fate === 'untried');
    const unknown = this.#names((fate) => fate === 'unknown');
    const perhaps = unknown.length === 0 ? [] : [`perhaps ${done}, since no answer came: ${unknown.join(', ')}`];
    if (written.length === 0) return perhaps.map((part) => `  ${part}`);
    if (missing.length + unknown.length === 0) return [];
    const [yes, no, others] = isDryRun
      ? [`would be ${done}`, `would not be ${done}`, 'all others would']
      : [done, `not ${done}`, 'all others were'];
    const parts =
      written.length < missing.length
        ? [`${yes}: ${written.join(', ')}`, ...perhaps, 'no others']
        : [...(missing.length === 0 ? [] : [`${no}: ${missing.join(', ')}`]), ...perhaps, others];
    return [`  ${parts.join('; ')}`];
  }

  #names(isWanted: (fate: Fate) => boolean): readonly string[] {
    return this.#keys.filter((_, index) => isWanted(this.#fates[index] ?? 'untried')).map(resourceId);
  }
}
