import type { Clock, Timer } from './clock.js';

export type Severity = 'error' | 'warning' | 'info';

/**
 * A way in which a host can be unwell, declared once as a constant. Log, node status and metrics show what is raised in these words.
 *
 * @example
 * const BIRD_MISSING = condition({ code: 'bird-missing', severity: 'error', text: () => 'BIRD is not installed', hint: 'install bird2' });
 */
export interface ConditionKind<Facts = void> {
  /** Stable, lower case with dashes. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, lower case, no full stop, values in double quotes. */
  readonly text: (facts: Facts) => string;
  /** One imperative sentence. */
  readonly hint?: string;
  /** Codes of causes: while one of them is shown, this one is not. */
  readonly dependsOn?: readonly string[];
  /** Shown only when it has lasted so long. Default 0. */
  readonly showAfterMs?: number;
}

/** A condition as people see it; plain data. */
export interface ShownCondition {
  readonly code: string;
  /** Which one of several, e.g. a pool's name. */
  readonly subject?: string;
  readonly severity: Severity;
  readonly text: string;
  readonly hint?: string;
  /** RFC 3339. */
  readonly since: string;
}

export interface ConditionsObserver {
  onShown?(shown: ShownCondition): void;
  onGone?(gone: ShownCondition): void;
}

interface Raised {
  readonly shown: ShownCondition;
  readonly showAtMs: number;
  readonly dependsOn: readonly string[];
  readonly timer: Timer | undefined;
}

/** Gives the declaration its type. */
export function condition<Facts = void>(kind: ConditionKind<Facts>): ConditionKind<Facts> {
  return kind;
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** What ails this process's host now. Raising twice updates the words and keeps the time; clearing what is not raised is fine. */
export class Conditions {
  readonly #clock: Clock;
  readonly #observer: ConditionsObserver;
  readonly #raised = new Map<string, Raised>();
  #announced = new Map<string, ShownCondition>();

  constructor(clock: Clock, observer: ConditionsObserver = {}) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** @param subject tells several of a kind apart */
  raise<Facts>(kind: ConditionKind<Facts>, facts: Facts, subject?: string): void {
    const key = keyOf(kind.code, subject);
    const before = this.#raised.get(key);
    const delayMs = kind.showAfterMs ?? 0;
    const startTimer = before === undefined && delayMs > 0;
    this.#raised.set(key, {
      shown: {
        code: kind.code,
        ...(subject === undefined ? {} : { subject }),
        severity: kind.severity,
        text: kind.text(facts),
        ...(kind.hint === undefined ? {} : { hint: kind.hint }),
        since: before?.shown.since ?? new Date(this.#clock.wallMs()).toISOString(),
      },
      showAtMs: before?.showAtMs ?? this.#clock.monotonicMs() + delayMs,
      dependsOn: kind.dependsOn ?? [],
      timer: startTimer ? this.#clock.setTimer(delayMs, () => this.#announce()) : before?.timer,
    });
    this.#announce();
  }

  clear(kind: { readonly code: string }, subject?: string): void {
    const key = keyOf(kind.code, subject);
    this.#raised.get(key)?.timer?.cancel();
    if (this.#raised.delete(key)) this.#announce();
  }

  /** Raises it with the facts, or clears it when there are none. */
  set<Facts extends object | string>(kind: ConditionKind<Facts>, facts: Facts | undefined, subject?: string): void {
    if (facts === undefined) this.clear(kind, subject);
    else this.raise(kind, facts, subject);
  }

  /** What there is to show, worst first, then oldest. */
  shown(): readonly ShownCondition[] {
    const due = [...this.#raised.values()].filter(({ showAtMs }) => showAtMs <= this.#clock.monotonicMs());
    const codes = new Set(due.map(({ shown }) => shown.code));
    return due
      .filter(({ dependsOn }) => !dependsOn.some((cause) => codes.has(cause)))
      .map(({ shown }) => shown)
      .toSorted((a, b) => RANK[a.severity] - RANK[b.severity] || (a.since < b.since ? -1 : Number(a.since > b.since)));
  }

  /** Forgets everything, quietly. */
  close(): void {
    for (const { timer } of this.#raised.values()) timer?.cancel();
    this.#raised.clear();
    this.#announced.clear();
  }

  #announce(): void {
    const before = this.#announced;
    const now = new Map(this.shown().map((shown) => [keyOf(shown.code, shown.subject), shown]));
    // First, because an observer may raise the next one.
    this.#announced = now;
    for (const [key, shown] of now) if (!before.has(key)) this.#observer.onShown?.(shown);
    for (const [key, gone] of before) if (!now.has(key)) this.#observer.onGone?.(gone);
  }
}

function keyOf(code: string, subject: string | undefined): string {
  return subject === undefined ? code : `${code} ${subject}`;
}
