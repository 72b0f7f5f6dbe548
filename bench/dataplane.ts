import { performance } from 'node:perf_hooks';
import { systemClock } from '../src/base/clock.js';
import { Dataplane } from '../src/dataplane/dataplane.js';
import type { DriftListener } from '../src/dataplane/drift.js';
import { RealHostKernel } from '../src/dataplane/host-kernel.js';
import { DEFAULT_SETTINGS } from '../src/dataplane/settings.js';
import { KernelNftables } from '../src/nftables/kernel.js';
import type { Nftables, Operation } from '../src/nftables/nftables.js';
import type { HostPolicyDelta, HostRouting } from '../src/plan/host-plan.js';
import { PolicyMachine } from '../src/policy/machine.js';
import { NetworkNamespace } from '../src/sys/namespace.js';
import {
  CLUSTER_100K,
  CLUSTER_10K,
  type ClusterSize,
  LOCAL_HOST,
  clusterUpdates,
  endpointUpdate,
  localEndpointIndex,
  peerIndexOf,
  policyIndexOf,
  policyUpdate,
} from './cluster/cluster.js';
import { line, ms, quantile, timed } from './figures/figures.js';

/**
 * From a plan to the kernel's rules, on this machine's kernel in a namespace of its own. Floors of the same run: the very operations that
 * the dataplane committed, committed again by themselves; for a restart, reading the table back.
 */

const TABLE = { family: 'inet', name: 'calico' } as const;
const ROUTING: HostRouting = { routes: new Map(), neighbours: new Map(), nat: { masqueradedPools: [], allPools: [] } };

/** Remembers what was committed. */
class Recorder implements Nftables {
  readonly #inner: KernelNftables;
  readonly transactions: (readonly Operation[])[] = [];

  constructor(inner: KernelNftables) {
    this.#inner = inner;
  }

  async commit(...args: Parameters<Nftables['commit']>): Promise<number> {
    this.transactions.push(args[0]);
    return this.#inner.commit(...args);
  }

  async readTable(...args: Parameters<Nftables['readTable']>): ReturnType<Nftables['readTable']> {
    return this.#inner.readTable(...args);
  }

  async readRules(...args: Parameters<Nftables['readRules']>): ReturnType<Nftables['readRules']> {
    return this.#inner.readRules(...args);
  }

  async listTables(): ReturnType<Nftables['listTables']> {
    return this.#inner.listTables();
  }

  async generation(): Promise<number> {
    return this.#inner.generation();
  }
}

/** The longest time for which nothing else ran while `work` did. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  await work();
  isOver = true;
  return longest;
}

class Bench {
  readonly namespace = NetworkNamespace.create();
  readonly recorder: Recorder;
  readonly bare: KernelNftables;
  readonly machine = new PolicyMachine({ hostname: LOCAL_HOST });
  readonly #kernel: RealHostKernel;
  #dataplane: Dataplane | undefined;
  #drift: DriftListener | undefined;
  #onRepair: () => void = () => undefined;

  constructor(size: ClusterSize) {
    this.bare = KernelNftables.open({ namespace: this.namespace });
    this.recorder = new Recorder(this.bare);
    this.#kernel = RealHostKernel.open(this.namespace.path);
    this.machine.apply(clusterUpdates(size));
    while (!this.machine.advance(10_000));
    this.machine.flush();
  }

  /** A dataplane that knows nothing yet, as after a restart. */
  async restart(): Promise<void> {
    await this.#dataplane?.close();
    const dependencies = {
      nftables: this.recorder,
      kernel: this.#kernel,
      clock: systemClock,
      watch: (listener: DriftListener) => {
        this.#drift = listener;
        return { close: () => undefined };
      },
      legacyIptables: { inUse: () => '', sync: () => Promise.resolve(0) },
      close: () => undefined,
    };
    this.#dataplane = new Dataplane({ ...DEFAULT_SETTINGS, manageForeignTables: false }, dependencies, {
      onRepair: () => this.#onRepair(),
    });
    await this.#dataplane.start();
    this.recorder.transactions.length = 0;
  }

  async apply(policy?: HostPolicyDelta): Promise<number> {
    const wanted = { policy: this.machine.state, routing: ROUTING };
    const report = await this.#dataplane?.apply(wanted, policy === undefined ? undefined : { policy });
    return report?.kernelWrites ?? 0;
  }

  /** As the kernel's notification would have it. */
  async repair(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onRepair = resolve;
      this.#drift?.onTablesChanged([TABLE]);
    });
  }

  async close(): Promise<void> {
    await this.#dataplane?.close();
    this.#kernel.close();
    this.bare.close();
    this.namespace.close();
  }
}

async function startAndRestart(bench: Bench, name: string): Promise<void> {
  await bench.restart();
  let turn = 0;
  const start = await timed(async () => {
    turn = await longestTurn(() => bench.apply());
  });
  const transactions = [...bench.recorder.transactions];
  await bench.bare.commit([
    { verb: 'delete', object: { kind: 'table', ...TABLE } },
    { verb: 'delete', object: { kind: 'table', family: 'arp', name: 'calico' } },
  ]);
  const floor = await timed(async () => {
    for (const operations of transactions) await bench.bare.commit(operations);
  });
  line(`dataplane start ${name}`, ms(start), `${ms(floor)} (the same transactions)`, start / floor);
  line(`dataplane start longest turn ${name}`, ms(turn), '50 ms', turn / 50);
  await bench.restart();
  let writes = 0;
  const restart = await timed(async () => {
    turn = await longestTurn(async () => {
      writes = await bench.apply();
    });
  });
  if (writes > 1) throw new Error(`a restart with nothing changed wrote ${writes} times`);
  const read = await timed(async () => bench.bare.readTable(TABLE));
  line(`dataplane restart ${name}`, ms(restart), `${ms(read)} (reading the table)`, restart / read);
  line(`dataplane restart longest turn ${name}`, ms(turn), '50 ms', turn / 50);
  await bench.bare.commit([{ verb: 'delete', object: { kind: 'table', ...TABLE } }]);
  const repair = await timed(() => bench.repair());
  line(`dataplane repair ${name}`, ms(repair), `${ms(floor)} (the same transactions)`, repair / floor);
}

/** Each edit applied, then its transaction again by itself. */
async function policyEdits(bench: Bench, size: ClusterSize, count: number): Promise<void> {
  const ours: number[] = [];
  const floors: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const endpoint = localEndpointIndex(i % size.localEndpoints, size);
    bench.machine.apply([policyUpdate(policyIndexOf(endpoint), 1_000 + i)]);
    const delta = bench.machine.flush();
    bench.recorder.transactions.length = 0;
    const before = process.cpuUsage();
    ours.push(await timed(() => bench.apply(delta)));
    cpu.push(process.cpuUsage(before).user / 1000);
    const [operations = []] = bench.recorder.transactions;
    if (operations.length === 0) throw new Error('the edit changed nothing');
    floors.push(await again(bench, operations));
  }
  report(`dataplane policy edit ${size.name}`, ours, floors);
  line(`dataplane policy edit user CPU ${size.name}`, ms(quantile(cpu, 0.5)), '1.5 ms', quantile(cpu, 0.5) / 1.5);
}

/**
 * Milliseconds for the same edit by itself. It made sets for its lists and deleted those before, which works once: so the new sets get
 * other names, with which it goes there and back.
 */
async function again(bench: Bench, operations: readonly Operation[]): Promise<number> {
  const made = operations.flatMap((operation) =>
    operation.verb === 'add' && operation.object.kind === 'set' ? [operation.object] : [],
  );
  const deletesSets = operations.some(
    ({ verb, ...rest }) => verb === 'delete' && 'object' in rest && rest.object.kind === 'set',
  );
  const kept = operations.filter((operation) => operation.verb !== 'delete' || operation.object.kind !== 'set');
  const other = (name: string): string => (made.some((set) => set.name === name) ? `${name}-again` : name);
  const leave = made.map((object): Operation => ({ verb: 'delete', object }));
  const back = leave.map((operation) => renamed(operation, other));
  let total = 0;
  for (const [edit, removal] of [
    [kept.map((operation) => renamed(operation, other)), leave],
    [kept, back],
  ] as const) {
    total += await timed(() => bench.bare.commit(deletesSets ? [...edit, ...removal] : edit));
    if (!deletesSets && removal.length > 0) await bench.bare.commit(removal);
  }
  return total / 2;
}

/** The operation with other names for the sets it is about or looks into. */
function renamed(operation: Operation, other: (name: string) => string): Operation {
  if (!('object' in operation)) return operation;
  const { object } = operation;
  if (object.kind === 'set') return { ...operation, object: { ...object, name: other(object.name) } } as Operation;
  if (object.kind === 'elements') {
    return { ...operation, object: { ...object, set: { ...object.set, name: other(object.set.name) } } } as Operation;
  }
  if (object.kind !== 'rule' || !('expressions' in object)) return operation;
  const expressions = object.expressions.map((it) =>
    it.type === 'lookup' && typeof it.set === 'string' ? { ...it, set: other(it.set) } : it,
  );
  return { ...operation, object: { ...object, expressions } } as Operation;
}

/** A label lost takes members from sets, a label got back brings them; the floor does the same and undoes it. */
async function memberChanges(bench: Bench, size: ClusterSize, count: number): Promise<void> {
  const ours: number[] = [];
  const floors: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const endpoint = peerIndexOf(localEndpointIndex(i % size.localEndpoints, size));
    const isLost = Math.floor(i / size.localEndpoints) % 2 === 0;
    bench.machine.apply([endpointUpdate(endpoint, size, isLost ? { app: 'none' } : {})]);
    const delta = bench.machine.flush();
    bench.recorder.transactions.length = 0;
    ours.push(await timed(() => bench.apply(delta)));
    const [operations = []] = bench.recorder.transactions;
    const back = operations.toReversed().map(inverse);
    const both = await timed(async () => {
      await bench.bare.commit(back);
      await bench.bare.commit(operations);
    });
    floors.push(both / 2);
  }
  report(`dataplane member change ${size.name}`, ours, floors);
}

function inverse(operation: Operation): Operation {
  if (!('object' in operation) || operation.object.kind !== 'elements') throw new Error('not only members changed');
  const { object } = operation;
  return operation.verb === 'add' ? { verb: 'delete', object } : { verb: 'add', object };
}

function report(name: string, ours: readonly number[], floors: readonly number[]): void {
  const p50 = quantile(ours, 0.5);
  const floor = quantile(floors, 0.5);
  line(name, `${ms(p50)} (p99 ${ms(quantile(ours, 0.99))})`, `${ms(floor)} (the same transaction)`, p50 / floor);
}

const isShort = process.env['SHORT'] === '1';
for (const size of isShort ? [CLUSTER_10K] : [CLUSTER_10K, CLUSTER_100K]) {
  const bench = new Bench(size);
  await startAndRestart(bench, size.name);
  await policyEdits(bench, size, isShort ? 200 : 1_000);
  await memberChanges(bench, size, isShort ? 200 : 1_000);
  await bench.close();
}
