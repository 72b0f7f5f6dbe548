import { describe, expect, test } from 'vitest';
import { felixEnvironment } from '../api/felix-sources.js';
import type { Kind, ResourceByKind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { CalicoError } from '../base/errors.js';
import type { DataplaneDelta, DataplaneWanted } from '../dataplane/dataplane.js';
import type { DataplaneSettings } from '../dataplane/settings.js';
import type { ListOptions, ListResult } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Agent, type AgentDataplane, type AgentObserver } from './agent.js';

/** Nothing is written to this machine, and no timer is left behind. */
const NO_REPORTS = felixEnvironment({ FELIX_REPORTINGINTERVALSECS: '0', FELIX_ENDPOINTSTATUSPATHPREFIX: 'none' });

interface Applied {
  readonly endpoints: readonly string[];
  readonly isWhole: boolean;
}

/** Remembers what it was asked to make true. */
class RecordingDataplane implements AgentDataplane {
  readonly applied: Applied[] = [];
  readonly settings: DataplaneSettings[] = [];
  closed = 0;
  failNext = 0;
  failOpening = 0;

  async apply({ policy }: DataplaneWanted, delta?: DataplaneDelta) {
    if (this.failNext > 0) {
      this.failNext -= 1;
      throw new CalicoError('ERR_CALI_TEST_REFUSED', 'refused');
    }
    this.applied.push({ endpoints: [...policy.endpoints.keys()], isWhole: delta === undefined });
    return { kernelWrites: 1, endpoints: new Map(), failures: [] };
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

/** Keeps its endpoints to itself until told to answer. */
class SlowDatastore extends MemoryDatastore {
  isAsked = false;
  answer: () => void = () => undefined;
  readonly #answered = new Promise<void>((resolve) => {
    this.answer = resolve;
  });

  override async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    if (kind === 'WorkloadEndpoint') {
      this.isAsked = true;
      await this.#answered;
    }
    yield* super.listPieces(kind, options);
  }
}

function put<K extends Kind>(store: MemoryDatastore, kind: K, key: Omit<ResourceKey<K>, 'kind'>, spec: object) {
  const value = { apiVersion: 'projectcalico.org/v3', kind, metadata: { ...key }, spec } as unknown;
  return store.put<K>({ kind, ...key }, value as ResourceByKind[K]);
}

function endpoint(store: MemoryDatastore, name: string, node = 'calico-01') {
  const spec = {
    node,
    orchestrator: 'k8s',
    pod: name,
    endpoint: 'eth0',
    interfaceName: `cali${name}`,
    ipNetworks: ['192.168.0.1/32'],
    profiles: ['net1'],
  };
  return put(store, 'WorkloadEndpoint', { namespace: 'default', name: `calico--01-k8s-${name}-eth0` }, spec);
}

/** Polls; the agent has no clock of the test's here. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('did not happen within 5 s');
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

interface Running {
  readonly agent: Agent;
  readonly dataplane: RecordingDataplane;
  readonly stop: () => Promise<void>;
}

function start(store: MemoryDatastore, observer: AgentObserver = {}, failOpening = 0): Running {
  const dataplane = new RecordingDataplane();
  dataplane.failOpening = failOpening;
  const ended = new AbortController();
  const agent = new Agent({
    hostname: 'calico-01',
    datastore: store,
    local: [NO_REPORTS],
    observer,
    random: () => 0.01,
    openDataplane: async (settings) => {
      dataplane.settings.push(settings);
      if (dataplane.settings.length <= dataplane.failOpening)
        throw new CalicoError('ERR_CALI_TEST_REFUSED', 'no kernel');
      return dataplane;
    },
  });
  const done = agent.run(ended.signal);
  return {
    agent,
    dataplane,
    stop: async () => {
      ended.abort();
      await done;
    },
  };
}

describe('Agent', () => {
  test('programs the whole datastore at once, never half of it, and differences afterwards', async () => {
    const store = new MemoryDatastore();
    await endpoint(store, 'a');
    await endpoint(store, 'b');
    await endpoint(store, 'elsewhere', 'calico-02');
    const { agent, dataplane, stop } = start(store);
    await until(() => dataplane.applied.length > 0);
    expect(dataplane.applied[0]?.isWhole).toBe(true);
    expect(dataplane.applied[0]?.endpoints).toHaveLength(2);
    await endpoint(store, 'c');
    await until(() => dataplane.applied.at(-1)?.endpoints.length === 3);
    expect(dataplane.applied.at(-1)?.isWhole).toBe(false);
    expect(Number(agent.revision)).toBeGreaterThanOrEqual(4);
    await stop();
    expect(dataplane.closed).toBe(1);
  });

  test('programs nothing while one kind is not read, however long that takes', async () => {
    const store = new SlowDatastore();
    await endpoint(store, 'a');
    const statuses: string[] = [];
    const { dataplane, stop } = start(store, { onDatastore: (status) => statuses.push(status) });
    await until(() => store.isAsked);
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect([dataplane.settings, dataplane.applied, statuses]).toEqual([[], [], ['listing']]);
    store.answer();
    await until(() => dataplane.applied.length > 0);
    expect(dataplane.applied[0]?.endpoints).toHaveLength(1);
    await stop();
  });

  test('programs nothing from a datastore that is locked, and all of it when it is unlocked', async () => {
    const store = new MemoryDatastore();
    const said: string[] = [];
    const { dataplane, stop } = start(store, { onDatastore: (_, reason) => said.push(reason?.message ?? '') });
    await until(() => dataplane.applied.length > 0);
    const lock = (datastoreReady: boolean) => put(store, 'ClusterInformation', { name: 'default' }, { datastoreReady });
    await lock(false);
    await until(() => said.some((text) => text.includes('locked')));
    const before = dataplane.applied.length;
    await endpoint(store, 'a');
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect(dataplane.applied).toHaveLength(before);
    await lock(true);
    await until(() => dataplane.applied.at(-1)?.endpoints.length === 1);
    await stop();
  });

  test('an etcd that was emptied takes no rules with it, one that is filled again is followed', async () => {
    const store = new MemoryDatastore();
    await put(store, 'ClusterInformation', { name: 'default' }, { datastoreReady: true });
    await endpoint(store, 'a');
    const said: string[] = [];
    const { dataplane, stop } = start(store, { onDatastore: (_, reason) => said.push(reason?.message ?? '') });
    await until(() => dataplane.applied.at(-1)?.endpoints.length === 1);
    await store.delete({ kind: 'ClusterInformation', name: 'default' });
    await until(() => said.some((text) => text.includes('emptied or replaced')));
    const before = dataplane.applied.length;
    await store.delete({ kind: 'WorkloadEndpoint', namespace: 'default', name: 'calico--01-k8s-a-eth0' });
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect(dataplane.applied).toHaveLength(before);
    await put(store, 'ClusterInformation', { name: 'default' }, { datastoreReady: true });
    await until(() => dataplane.applied.at(-1)?.endpoints.length === 0);
    await stop();
  });

  test('compares everything after the kernel refused a change', async () => {
    const store = new MemoryDatastore();
    const failures: string[] = [];
    const { dataplane, stop } = start(store, { onProgrammingFailed: (error) => failures.push(error.message) });
    await until(() => dataplane.applied.length > 0);
    const before = dataplane.applied.length;
    dataplane.failNext = 2;
    await endpoint(store, 'a');
    await until(() => dataplane.applied.length > before);
    expect(failures).toEqual(['refused', 'refused']);
    expect(dataplane.applied[before]).toEqual({ endpoints: [expect.stringContaining('-a-')], isWhole: true });
    await stop();
  });

  test('tries again when the kernel cannot be opened, and then programs everything', async () => {
    const store = new MemoryDatastore();
    await endpoint(store, 'a');
    const failures: string[] = [];
    const { dataplane, stop } = start(store, { onProgrammingFailed: (error) => failures.push(error.message) }, 2);
    await until(() => dataplane.applied.length > 0);
    expect(failures).toEqual(['no kernel', 'no kernel']);
    expect(dataplane.applied[0]).toEqual({ endpoints: [expect.stringContaining('-a-')], isWhole: true });
    await stop();
  });

  test('opens the dataplane anew when a parameter changes that it is told once', async () => {
    const store = new MemoryDatastore();
    const { dataplane, stop } = start(store);
    await until(() => dataplane.applied.length > 0);
    await put(store, 'FelixConfiguration', { name: 'default' }, { defaultEndpointToHostAction: 'Accept' });
    await until(() => dataplane.settings.length === 2);
    await until(() => dataplane.applied.at(-1)?.isWhole === true && dataplane.applied.length > 1);
    expect(dataplane.settings.map(({ endpointToHostAction }) => endpointToHostAction)).toEqual(['drop', 'accept']);
    expect(dataplane.closed).toBe(1);
    await put(store, 'FelixConfiguration', { name: 'node.calico-02' }, { defaultEndpointToHostAction: 'Drop' });
    await endpoint(store, 'a');
    await until(() => dataplane.applied.at(-1)?.endpoints.length === 1);
    expect(dataplane.settings).toHaveLength(2);
    await stop();
  });
});
