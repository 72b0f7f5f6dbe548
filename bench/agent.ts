import { performance } from 'node:perf_hooks';
import type { ResourceUpdate } from '../src/api/resource-update.js';
import type { WriteOperation } from '../src/datastore/datastore.js';
import { EtcdDatastore } from '../src/datastore/etcd/etcd-datastore.js';
import { KernelNftables } from '../src/nftables/kernel.js';
import { accept } from '../src/nftables/statements.js';
import { destinationPort } from '../src/nftables/fields.js';
import { isFamily, isIn, protocol } from '../src/nftables/match.js';
import { type NftSet, chain, elements, set, table } from '../src/nftables/objects.js';
import { rule } from '../src/nftables/rule.js';
import { Transaction } from '../src/nftables/transaction.js';
import { NetworkNamespace } from '../src/sys/namespace.js';
import { TestEtcd } from '../test/setup/etcd.js';
import { MeasuredAgent, Namespace } from './agent/measured-agent.js';
import {
  CLUSTER_100K,
  CLUSTER_10K,
  type ClusterSize,
  clusterUpdates,
  endpointUpdate,
  localEndpointIndex,
  peerIndexOf,
  policyIndexOf,
  policyUpdate,
} from './cluster/cluster.js';
import { line, ms, quantile, timed } from './figures/figures.js';

/**
 * The whole agent against a real etcd and a real kernel: start, restart, edits. Floors of the same run: reading the same keys bare, and
 * a bare put followed by a bare transaction of the same kind.
 */

function put(update: ResourceUpdate): WriteOperation {
  if (update.value === undefined) throw new Error(`${update.key.name} has no value`);
  return { type: 'put', key: update.key, value: update.value } as WriteOperation;
}

async function fill(store: EtcdDatastore, size: ClusterSize): Promise<void> {
  const updates = clusterUpdates(size);
  for (let i = 0; i < updates.length; i += 800) {
    const batches = [];
    for (let j = i; j < Math.min(i + 800, updates.length); j += 100) {
      batches.push(store.commit(updates.slice(j, Math.min(j + 100, updates.length)).map(put)));
    }
    await Promise.all(batches);
  }
}

/** Milliseconds from just before the put until the kernel has taken what follows from it. */
async function edits(
  agent: MeasuredAgent,
  store: EtcdDatastore,
  count: number,
  edit: (i: number) => ResourceUpdate,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const operation = put(edit(i));
    const committed = agent.nextCommit();
    const begun = performance.now();
    await Promise.all([store.commit([operation]), committed]);
    times.push((await committed) - begun);
  }
  return times;
}

/** A chain of the agent's own, with the number of its rules: what an edit rewrites. */
async function somePolicyChain(nftables: KernelNftables): Promise<{ readonly name: string; readonly rules: number }> {
  const seen = await nftables.readTable({ family: 'inet', name: 'calico' }, { withoutElements: true });
  const found = [...(seen?.chains ?? [])].find(([name, { rules }]) => name.startsWith('pi-') && rules.length > 1);
  if (found === undefined) throw new Error('the agent left no policy chain behind');
  return { name: found[0], rules: found[1].rules.length };
}

/**
 * The same put, then a transaction of the same kind on the same table (another list of ports for a policy's chain, an address more): what remains
 * when there is nothing to watch, decide, render or compare. Done last, for it spoils the ruleset.
 */
async function floorOf(
  namespace: Namespace,
  store: EtcdDatastore,
  count: number,
  edit: (i: number) => ResourceUpdate,
): Promise<{ readonly rule: number; readonly element: number }> {
  const nftables = KernelNftables.open({ namespace: NetworkNamespace.open(namespace.pid) });
  const calico = table('inet', 'calico');
  const chosen = await somePolicyChain(nftables);
  const policy = chain(calico, chosen.name);
  const addresses = set(calico, 'bench-addresses', ['ipv4_addr']);
  await new Transaction(nftables).add(addresses).commit();
  const ruleTimes: number[] = [];
  const elementTimes: number[] = [];
  let before: NftSet | undefined;
  for (let i = 0; i < count; i += 1) {
    const operation = put(edit(i));
    const address = `198.51.${Math.floor(i / 250)}.${i % 250}`;
    const begun = performance.now();
    await store.commit([operation]);
    const stored = performance.now();
    const ports = set(calico, `bench-ports-${i}`, ['inet_service'], { interval: true });
    const rewrite = new Transaction(nftables).add(ports).add(elements(ports, [String(1_000 + i), '9000-9010']));
    rewrite.flush({ kind: 'chain', table: calico, name: policy.name });
    for (let n = 0; n < chosen.rules; n += 1)
      rewrite.add(rule(policy, [isFamily(4), protocol('tcp'), isIn(destinationPort('tcp'), ports.name), accept]));
    if (before !== undefined) rewrite.delete(before);
    before = ports;
    await rewrite.commit();
    const ruled = performance.now();
    await new Transaction(nftables).add(elements(addresses, [address])).commit();
    ruleTimes.push(ruled - begun);
    elementTimes.push(stored - begun + performance.now() - ruled);
  }
  nftables.close();
  return { rule: quantile(ruleTimes, 0.5), element: quantile(elementTimes, 0.5) };
}

function bareRead(store: EtcdDatastore): Promise<number> {
  return timed(async () => {
    for (const kind of ['WorkloadEndpoint', 'NetworkPolicy', 'Profile'] as const) await store.list(kind);
  });
}

async function startAndRestart(
  namespace: Namespace,
  etcd: TestEtcd,
  store: EtcdDatastore,
  name: string,
): Promise<MeasuredAgent> {
  const floor = await bareRead(store);
  const first = new MeasuredAgent(namespace, etcd.endpoint);
  const cold = await first.inLine;
  const usage = await first.usage();
  line(`agent cold start ${name}`, ms(cold.tookMs), `${ms(floor)} (reading the same)`, cold.tookMs / floor);
  line(
    `agent peak memory ${name}`,
    `${usage.peakRssMiB.toFixed(0)} MiB`,
    '–',
    usage.peakRssMiB / (name === '10k' ? 130 : 450),
  );
  line(`agent longest turn at start ${name}`, ms(usage.longestTurnMs), '50 ms', usage.longestTurnMs / 50);
  await first.stop();
  const second = new MeasuredAgent(namespace, etcd.endpoint);
  const again = await second.inLine;
  line(`agent restart ${name}`, ms(again.tookMs), `${ms(floor)} (reading the same)`, again.tookMs / floor);
  line(`agent writes at restart ${name}`, String(again.kernelWrites), '0', again.kernelWrites);
  await second.usage();
  return second;
}

async function run(size: ClusterSize, count: number): Promise<void> {
  const etcd = await TestEtcd.start();
  const namespace = await Namespace.create();
  const store = new EtcdDatastore(etcd.config);
  try {
    await fill(store, size);
    const agent = await startAndRestart(namespace, etcd, store, size.name);
    const local = (i: number): number => localEndpointIndex(i % size.localEndpoints, size);
    const policyEdit = (i: number): ResourceUpdate => policyUpdate(policyIndexOf(local(i)), 1_000 + i);
    const labelEdit = (i: number): ResourceUpdate =>
      endpointUpdate(peerIndexOf(local(i)), size, Math.floor(i / size.localEndpoints) % 2 === 0 ? { app: 'none' } : {});
    const policyTimes = (await edits(agent, store, count, policyEdit)).slice(10);
    const labelTimes = (await edits(agent, store, count, labelEdit)).slice(10);
    const usage = await agent.usage();
    await agent.stop();
    const floor = await floorOf(namespace, store, count, (i) => policyUpdate(policyIndexOf(local(i)), 30_000 + i));
    report(`policy edit to kernel ${size.name}`, policyTimes, floor.rule);
    report(`label change to set ${size.name}`, labelTimes, floor.element);
    line(`agent longest turn under edits ${size.name}`, ms(usage.longestTurnMs), '50 ms', usage.longestTurnMs / 50);
  } finally {
    await store[Symbol.asyncDispose]();
    await namespace.close();
    await etcd.stop();
  }
}

function report(name: string, times: readonly number[], floor: number): void {
  const p50 = quantile(times, 0.5);
  const shown = `${ms(p50)} (p99 ${ms(quantile(times, 0.99))})`;
  line(name, shown, `${ms(floor)} (bare put and transaction)`, p50 / floor);
}

const isShort = process.env['SHORT'] === '1';
await run(CLUSTER_10K, isShort ? 150 : 500);
if (!isShort) await run(CLUSTER_100K, 500);
