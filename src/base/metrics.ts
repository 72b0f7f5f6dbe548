import { Counter, Gauge, Registry, Summary } from 'prom-client';

/** Figures of one process in Prometheus's text form. Import it only where metrics are served: the library takes 65 ms to load. */
export class Metrics {
  readonly #registry = new Registry();

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts up from zero; hold on to what this returns. */
  counter(name: string, help: string): { inc(): void } {
    return new Counter({ name, help, registers: [this.#registry] });
  }

  /** A value that is asked for whenever somebody looks. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(read()) });
  }

  /** The same for a set of values, told apart by one label. */
  gauges(
    name: string,
    help: string,
    values: { readonly label: string; readonly read: () => ReadonlyMap<string, number> },
  ): void {
    const { label, read } = values;
    const gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        for (const [key, value] of read()) gauge.set({ [label]: key }, value);
      },
    });
  }

  /** Quantiles, sum and count of what is observed, e.g. durations in seconds. */
  summary(name: string, help: string): { observe(value: number): void } {
    return new Summary({ name, help, percentiles: [0.5, 0.9, 0.99], registers: [this.#registry] });
  }

  /** All of it, as a scraper reads it. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }
}
