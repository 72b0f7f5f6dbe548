import { type Clock, systemClock } from '../base/clock.js';
import type { Surroundings } from './command.js';

/** Who waits less sees nothing. */
const TERMINAL_AFTER_MS = 1000;
const TERMINAL_EVERY_MS = 100;
/** A log is read later: a line now and then is enough. */
const LINE_EVERY_MS = 5000;
const CLEAR_LINE = '\r\u001b[K';

/**
 * Tells on stderr how far long work is: on a terminal after one second, in a line that is written over; elsewhere a line every five seconds.
 * Call {@link step} for every piece done and {@link end} when all is done, also after a failure. Writes only within these calls.
 *
 * With `what` of "addresses checked" and 500 in all: `addresses checked: 120 of 500 (24%)`.
 */
export class Progress {
  readonly #context: Pick<Surroundings, 'stderr' | 'terminals'>;
  readonly #what: string;
  readonly #total: number | undefined;
  readonly #clock: Clock;
  #done = 0;
  #nextMs: number;
  #isShown = false;

  /** @param total how many pieces there are, where that is known */
  constructor(
    context: Pick<Surroundings, 'stderr' | 'terminals'>,
    what: string,
    total?: number,
    clock: Clock = systemClock,
  ) {
    this.#context = context;
    this.#what = what;
    this.#total = total;
    this.#clock = clock;
    this.#nextMs = clock.monotonicMs() + (this.#isTerminal ? TERMINAL_AFTER_MS : LINE_EVERY_MS);
  }

  /** `n` more pieces are done. Cheap enough to call for each. */
  step(n = 1): void {
    this.#done += n;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + (this.#isTerminal ? TERMINAL_EVERY_MS : LINE_EVERY_MS);
    this.#isShown = true;
    this.#context.stderr(this.#isTerminal ? `${CLEAR_LINE}${this.#text()}` : `${this.#text()}\n`);
  }

  /** Takes the line away from the terminal again; what was done is for the caller to say. */
  end(): void {
    if (this.#isShown && this.#isTerminal) this.#context.stderr(CLEAR_LINE);
    this.#isShown = false;
  }

  get #isTerminal(): boolean {
    return this.#context.terminals?.stderr === true;
  }

  #text(): string {
    if (this.#total === undefined || this.#total === 0) return `${this.#what}: ${this.#done}`;
    const percent = Math.floor((Math.min(this.#done, this.#total) / this.#total) * 100);
    return `${this.#what}: ${this.#done} of ${this.#total} (${percent}%)`;
  }
}
