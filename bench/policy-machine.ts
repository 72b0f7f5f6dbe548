import { performance } from 'node:perf_hooks';
import type { ResourceUpdate } from '../src/api/resource-update.js';
import { PolicyMachine } from '../src/policy/machine.js';
import {
  CLUSTER_100K,
  CLUSTER_10K,
  type ClusterSize,
  clusterUpdates,
  endpointUpdate,
  LOCAL_HOST,
  localEndpointIndex,
  peerIndexOf,
  policyIndexOf,
  policyUpdate,
} from './cluster/cluster.js';
import { line, ms, quantile } from './figures/figures.js';

/**
 * The policy machine alone: loading a cluster, then edits. Floors of the same run: for the load, reading the same objects from JSON; for
 * edits, computing the plan from scratch. The last lines compare the two sizes: an edit must not cost more in a bigger cluster.
 */

const BATCH = 1_000;

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function heapMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

interface Loaded {
  readonly machine: PolicyMachine;
  readonly loadMs: number;
  readonly longestTurnMs: number;
}

/** Loads as the agent does: batch by batch, then piece by piece up to the first flush. */
function load(updates: readonly ResourceUpdate[]): Loaded {
  const machine = new PolicyMachine({ hostname: LOCAL_HOST });
  const turns: number[] = [];
  for (let i = 0; i < updates.length; i += BATCH) {
    turns.push(timed(() => machine.apply(updates.slice(i, i + BATCH))));
  }
  let isReady = false;
  while (!isReady) {
    turns.push(
      timed(() => {
        isReady = machine.advance(2_000);
      }),
    );
  }
  turns.push(timed(() => machine.flush()));
  return { machine, loadMs: turns.reduce((sum, turn) => sum + turn, 0), longestTurnMs: Math.max(...turns) };
}

/** Milliseconds of each update with its flush; fails when an edit had no effect, or it would measure nothing. */
function edits(machine: PolicyMachine, count: number, edit: (i: number) => ResourceUpdate): number[] {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const update = edit(i);
    let changes = 0;
    times.push(
      timed(() => {
        machine.apply([update]);
        const { policies, members } = machine.flush();
        changes = policies.set.size + members.size;
      }),
    );
    if (changes === 0) throw new Error(`the edit of ${update.key.name} changed nothing`);
  }
  return times;
}

interface Figures {
  readonly policyEdit: number;
  readonly labelChange: number;
}

/** The objects as the store would hand them over, without what the generator holds. */
function parseCluster(size: ClusterSize): { readonly updates: ResourceUpdate[]; readonly parseMs: number } {
  const texts = clusterUpdates(size).map((update) => JSON.stringify(update));
  const updates: ResourceUpdate[] = [];
  const parseMs = timed(() => {
    for (const text of texts) updates.push(JSON.parse(text) as ResourceUpdate);
  });
  return { updates, parseMs };
}

function run(size: ClusterSize, count: number): Figures {
  const { name } = size;
  const heapBefore = heapMiB();
  const { updates, parseMs } = parseCluster(size);
  const objectsMiB = heapMiB() - heapBefore;
  const { machine, loadMs, longestTurnMs } = load(updates);
  const scratch = load(updates).loadMs;
  updates.length = 0;
  const machineMiB = heapMiB() - heapBefore;
  line(`policy machine load ${name}`, ms(loadMs), `${ms(parseMs)} (JSON.parse)`, loadMs / parseMs);
  const shownMiB = `${objectsMiB.toFixed(0)} MiB (the objects)`;
  line(`policy machine memory ${name}`, `${machineMiB.toFixed(0)} MiB`, shownMiB, machineMiB / objectsMiB);
  line(`policy machine longest turn ${name}`, ms(longestTurnMs), '50 ms', longestTurnMs / 50);

  const local = (i: number): number => localEndpointIndex(i % size.localEndpoints, size);
  const policyEdits = edits(machine, count, (i) => policyUpdate(policyIndexOf(local(i)), 1_000 + i));
  // In one round all peers lose the label by which the policies know them, in the next they get it back.
  const labelChanges = edits(machine, count, (i) => {
    const isLost = Math.floor(i / size.localEndpoints) % 2 === 0;
    return endpointUpdate(peerIndexOf(local(i)), size, isLost ? { app: 'none' } : {});
  });
  for (const [what, times] of [
    ['policy edit', policyEdits],
    ['label change', labelChanges],
  ] as const) {
    const p50 = quantile(times, 0.5);
    const shown = `${ms(p50)} (p99 ${ms(quantile(times, 0.99))})`;
    line(`policy machine ${what} ${name}`, shown, `${ms(scratch)} (from scratch)`, p50 / scratch);
  }
  return { policyEdit: quantile(policyEdits, 0.5), labelChange: quantile(labelChanges, 0.5) };
}

const count = process.env['SHORT'] === '1' ? 300 : 2_000;
const small = run(CLUSTER_10K, count);
const large = run(CLUSTER_100K, count);
line(
  'policy machine policy edit, 100k to 10k',
  ms(large.policyEdit),
  ms(small.policyEdit),
  large.policyEdit / small.policyEdit,
);
line(
  'policy machine label change, 100k to 10k',
  ms(large.labelChange),
  ms(small.labelChange),
  large.labelChange / small.labelChange,
);
