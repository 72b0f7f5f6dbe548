import type { Clock, Timer } from './clock.js';

interface Pending {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time that moves only when a test says so. */
export class FakeClock implements Clock {
  #nowMs: number;
  #pending: Pending[] = [];

  /** @param startMs the wall time at which the test begins; default 2026-01-01T00:00:00Z */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const entry = { atMs: this.#nowMs + delayMs, callback };
    this.#pending.push(entry);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Number of timers that have not run yet. */
  get timers(): number {
    return this.#pending.length;
  }

  /** Delay until the next timer, or undefined when none waits. */
  get nextTimerMs(): number | undefined {
    return this.#pending.length === 0 ? undefined : Math.min(...this.#pending.map((p) => p.atMs)) - this.#nowMs;
  }

  /** Lets everything that is ready run: promises and immediates, a few rounds of them. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i += 1) await this.nextTurn();
  }

  /** Moves time on, running the timers that fall due in their order, each with what it set going. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (;;) {
      const next = this.#pending.filter((p) => p.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#pending = this.#pending.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }
}
