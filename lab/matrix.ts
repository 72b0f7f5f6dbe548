import type { LabWorkload, Probe } from './workload.js';

/** Who reaches whom: `reached.has('A>B')`. */
export interface Matrix {
  readonly names: readonly string[];
  readonly reached: ReadonlySet<string>;
}

/** Tries every pair of workloads, all at once: about half a second, the patience of one try. */
export async function measureMatrix(workloads: readonly LabWorkload[], probe: Probe, family: 4 | 6): Promise<Matrix> {
  if ('tcp' in probe) await Promise.all(workloads.map((workload) => workload.listen({ tcp: [probe.tcp] })));
  const reached = new Set<string>();
  const pairs = workloads.flatMap((from) => workloads.filter((to) => to !== from).map((to) => ({ from, to })));
  await Promise.all(
    pairs.map(async ({ from, to }) => {
      if (await from.can(to, probe, { family })) reached.add(`${from.name}>${to.name}`);
    }),
  );
  return { names: workloads.map(({ name }) => name), reached };
}

/** Within each group everybody reaches everybody; between groups nobody. */
export function groupsMatrix(names: readonly string[], groups: readonly (readonly string[])[]): Matrix {
  const reached = groups.flatMap((group) =>
    group.flatMap((from) => group.filter((to) => to !== from).map((to) => `${from}>${to}`)),
  );
  return { names, reached: new Set(reached) };
}

/** Pairs in which two matrices differ, `A>B: seen yes, wanted no`. */
export function matrixDifferences(seen: Matrix, wanted: Matrix): string[] {
  const pairs = new Set([...seen.reached, ...wanted.reached]);
  return [...pairs]
    .filter((pair) => seen.reached.has(pair) !== wanted.reached.has(pair))
    .map((pair) => `${pair}: ${seen.reached.has(pair) ? 'reached, and must not' : 'not reached, and must'}`);
}

/** Rows from, columns to; `·` on the diagonal. */
export function formatMatrix({ names, reached }: Matrix, title: string): string {
  const width = Math.max(4, ...names.map((name) => name.length)) + 1;
  const head = `${title.padEnd(15)}${names.map((name) => `to ${name}`.padEnd(width + 2)).join('')}`;
  const rows = names.map((from) => {
    const cells = names.map((to) => (to === from ? '·' : reached.has(`${from}>${to}`) ? 'yes' : '-').padEnd(width + 2));
    return `${`from ${from}`.padEnd(15)}${cells.join('')}`;
  });
  return [head, ...rows].map((line) => line.trimEnd()).join('\n');
}
