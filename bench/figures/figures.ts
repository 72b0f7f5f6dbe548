import { performance } from 'node:perf_hooks';

/** How a benchmark says its figures: `scripts/bench.ts` reads these lines. */
export function line(name: string, ours: string, theirs: string, ratio: number): void {
  console.log([name, ours, theirs, ratio.toPrecision(3)].join('  '));
}

export function ms(value: number): string {
  return `${value.toPrecision(3)} ms`;
}

/** A line of two times. */
export function lineOfTimes(name: string, oursMs: number, theirsMs: number): void {
  line(name, ms(oursMs), ms(theirsMs), oursMs / theirsMs);
}

/** Milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** The value that so large a part of all values does not reach; no number where there are none, which holds no budget. */
export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
