import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import { FakeClock } from '../base/clock.fake.js';
import { type CalicoError, UnavailableError } from '../base/errors.js';
import type { ResourceByKind, Kind } from '../api/registry.js';
import type { ResourceKey, Stored } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { statusFileName } from './status-file-names.js';
import { type ReportValues, StatusReports } from './status-reports.js';

const QUIET: ReportValues = {
  reportingInterval: 0,
  reportingTTL: 90_000,
  endpointReportingEnabled: false,
  endpointReportingDelay: 0,
  openstackRegion: '',
  endpointStatusPathPrefix: '',
};

/** Refuses so many writes. */
class MoodyDatastore extends MemoryDatastore {
  refusals = 0;

  override async put<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: { readonly ttlSeconds?: number },
  ): Promise<Stored<K>> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new UnavailableError('ERR_CALI_TEST', 'no etcd');
    }
    return super.put(key, value, options);
  }
}

let clock: FakeClock;
let store: MoodyDatastore;
let reports: StatusReports;
let failures: CalicoError[];
let ended: AbortController;
let done: Promise<void>;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-status-'));
  clock = new FakeClock();
  store = new MoodyDatastore({ clock });
  failures = [];
  ended = new AbortController();
  reports = new StatusReports({
    hostname: 'h1',
    datastore: store,
    clock,
    random: () => 0.5,
    onFailure: (error) => failures.push(error),
  });
  done = reports.run(ended.signal);
});

afterEach(async () => {
  ended.abort();
  await done;
  await rm(folder, { recursive: true, force: true });
});

const plan = { interfaceName: 'calia1', mac: 'ee:ee:ee:ee:ee:ee', addresses: ['192.0.2.1/32', '2001:db8::1/128'] };

function endpoint(pod: string, node = 'h1') {
  const key = { kind: 'WorkloadEndpoint', namespace: 'shop', name: `${node}-k8s-${pod}-eth0` } as const;
  const spec = { orchestrator: 'k8s', node, pod, endpoint: 'eth0', interfaceName: 'calia1' };
  const { kind, ...metadata } = key;
  const value: WorkloadEndpoint = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  reports.apply([{ kind, key, value, revision: '1' }]);
  return `shop/${key.name}`;
}

async function stored(): Promise<Record<string, unknown>> {
  const { items } = await store.list('FelixStatus');
  return Object.fromEntries(items.map(({ key, value }) => [key.name, value]));
}

describe('host status', () => {
  test('is written once the kernel is in line, again and again, and goes when nobody writes it', async () => {
    reports.configure({ ...QUIET, reportingInterval: 30_000, openstackRegion: 'east' });
    await clock.nextTurn();
    expect(await stored()).toEqual({});
    reports.programmed(new Map(), new Map());
    const [status, last] = ['v2/region-east/host/h1/status', 'v2/region-east/host/h1/last_reported_status'];
    const first = { time: '2026-01-01T00:00:00Z', uptime: 0, first_update: true };
    await vi.waitFor(async () => expect(await stored()).toEqual({ [status]: first, [last]: first }));
    await clock.advance(30_000);
    const second = { time: '2026-01-01T00:00:30Z', uptime: 30, first_update: false };
    await vi.waitFor(async () => expect(await stored()).toEqual({ [status]: second, [last]: second }));
    reports.configure({ ...QUIET, reportingInterval: 0 });
    await clock.advance(90_000);
    expect(Object.keys(await stored())).toEqual([last]);
  });

  test('survives a datastore that is away', async () => {
    store.refusals = 1;
    reports.configure({ ...QUIET, reportingInterval: 10_000 });
    reports.programmed(new Map(), new Map());
    await vi.waitFor(() => expect(failures.map(({ message }) => message)).toEqual(['no etcd']));
    await clock.advance(10_000);
    await vi.waitFor(async () =>
      expect((await stored())['v2/no-region/host/h1/status']).toMatchObject({ first_update: true }),
    );
    await clock.advance(1_000);
    ended.abort();
    await done;
    await clock.advance(100_000);
  });
});

describe('status of endpoints in the datastore', () => {
  const name = (pod: string) => `v2/no-region/host/h1/workload/k8s/shop%2f${pod}/endpoint/eth0`;

  test('follows the kernel, and what an earlier life left is removed', async () => {
    await store.put({ kind: 'FelixStatus', name: name('gone') }, { status: 'up' });
    await store.put({ kind: 'FelixStatus', name: 'v2/no-region/host/h2/workload/k8s/a/endpoint/b' }, { status: 'up' });
    reports.configure({ ...QUIET, endpointReportingEnabled: true });
    const [a, b] = [endpoint('a'), endpoint('b')];
    endpoint('far', 'h2');
    const plans = new Map([a, b].map((id) => [id, plan]));
    reports.programmed(
      new Map([
        [a, 'up'],
        [b, 'down'],
      ]),
      plans,
    );
    await vi.waitFor(async () =>
      expect(await stored()).toEqual({
        [name('a')]: { status: 'up' },
        [name('b')]: { status: 'down' },
        'v2/no-region/host/h2/workload/k8s/a/endpoint/b': { status: 'up' },
      }),
    );
    reports.changed(new Map([[b, 'up']]));
    reports.failed(new Map([...plans, [endpoint('c'), plan]]));
    await vi.waitFor(async () =>
      expect(await stored()).toMatchObject({ [name('b')]: { status: 'up' }, [name('c')]: { status: 'error' } }),
    );
    reports.configure(QUIET);
    await vi.waitFor(async () =>
      expect(Object.keys(await stored())).toEqual(['v2/no-region/host/h2/workload/k8s/a/endpoint/b']),
    );
  });

  test('is written again until it succeeds', async () => {
    store.refusals = 2;
    reports.configure({ ...QUIET, endpointReportingEnabled: true });
    const id = endpoint('a');
    reports.programmed(new Map([[id, 'up']]), new Map([[id, plan]]));
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(await stored()).toEqual({ [name('a')]: { status: 'up' } });
    });
    expect(failures).toHaveLength(2);
  });
});

describe('status files', () => {
  const identity = { orchestrator: 'k8s', workload: 'shop/a', endpoint: 'eth0' };
  const files = () => readdir(join(folder, 'endpoint-status'));

  test('are there while an endpoint is up', async () => {
    await mkdir(join(folder, 'endpoint-status'));
    await writeFile(join(folder, 'endpoint-status', statusFileName('h1', { ...identity, endpoint: 'gone' })), '{}');
    await writeFile(join(folder, 'endpoint-status', 'of-somebody-else'), '');
    reports.configure({ ...QUIET, endpointStatusPathPrefix: folder });
    const id = endpoint('a');
    const plans = new Map([[id, plan]]);
    reports.programmed(new Map([[id, 'up']]), plans);
    const file = '%2fcalico%2fv1%2fhost%2fh1%2fworkload%2fk8s%2fshop%252fa%2fendpoint%2feth0';
    await vi.waitFor(async () => expect((await files()).toSorted()).toEqual([file, 'of-somebody-else']));
    expect(JSON.parse(await readFile(join(folder, 'endpoint-status', file), 'utf8'))).toEqual({
      ifaceName: 'calia1',
      mac: 'ee:ee:ee:ee:ee:ee',
      ipv4Nets: ['192.0.2.1/32'],
      ipv6Nets: ['2001:db8::1/128'],
      bgpPeerName: '',
    });
    reports.changed(new Map([[id, 'down']]));
    await vi.waitFor(async () => expect(await files()).toEqual(['of-somebody-else']));
    expect(failures).toEqual([]);
  });

  test('have names that every file system takes', () => {
    const long = { ...identity, workload: `${'n'.repeat(63)}/${'p'.repeat(253)}` };
    const names = ['a', 'b'].map((endpointName) => statusFileName('h1', { ...long, endpoint: endpointName }));
    expect(names.map(({ length }) => length)).toEqual([255, 255]);
    expect(new Set(names).size).toBe(2);
  });

  test('that cannot be written are a failure that says so, and are tried again', async () => {
    await writeFile(join(folder, 'endpoint-status'), 'in the way');
    reports.configure({ ...QUIET, endpointStatusPathPrefix: folder });
    const id = endpoint('a');
    reports.programmed(new Map([[id, 'up']]), new Map([[id, plan]]));
    await vi.waitFor(() => expect(failures[0]?.message).toMatch(/^cannot list status file .*ENOTDIR/));
    await rm(join(folder, 'endpoint-status'));
    await vi.waitFor(() => expect(clock.timers).toBe(1));
    await clock.advance(10_000);
    await vi.waitFor(async () => expect(await files()).toHaveLength(1));
  });
});
