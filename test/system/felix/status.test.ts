import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkloadEndpoint } from '../../../src/api/kinds/workload-endpoint.js';
import { systemClock } from '../../../src/base/clock.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { StatusReports } from '../../../src/felix/status-reports.js';
import { RawEtcd } from '../../setup/etcd-raw.js';
import { TestEtcd } from '../../setup/etcd.js';

const HOST = '/calico/felix/v2/no-region/host/h1';

describe('the status of a host in etcd', () => {
  let etcd: TestEtcd;
  let raw: RawEtcd;
  let store: EtcdDatastore;
  let folder: string;

  beforeAll(async () => {
    etcd = await TestEtcd.start();
    raw = new RawEtcd(etcd.config);
    store = new EtcdDatastore(etcd.config);
    folder = await mkdtemp(join(tmpdir(), 'calico-status-'));
  });

  afterAll(async () => {
    raw.close();
    await store[Symbol.asyncDispose]();
    await etcd.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`not within 15 s: ${what}`);
      await sleepMs(50);
    }
  }

  test('goes with its lease when the agent is gone; the last report and the endpoints stay', async () => {
    const ended = new AbortController();
    const reports = new StatusReports({
      hostname: 'h1',
      datastore: store,
      clock: systemClock,
      random: Math.random,
      onFailure: (error) => {
        throw error;
      },
    });
    const done = reports.run(ended.signal);
    reports.configure({
      reportingInterval: 500,
      reportingTTL: 2_000,
      endpointReportingEnabled: true,
      endpointReportingDelay: 10,
      openstackRegion: '',
      endpointStatusPathPrefix: folder,
    });
    const key = { kind: 'WorkloadEndpoint', namespace: 'shop', name: 'h1-k8s-web-eth0' } as const;
    const value: WorkloadEndpoint = {
      apiVersion: 'projectcalico.org/v3',
      kind: key.kind,
      metadata: { name: key.name, namespace: key.namespace },
      spec: { orchestrator: 'k8s', node: 'h1', pod: 'web', endpoint: 'eth0', interfaceName: 'calia1' },
    };
    reports.apply([{ kind: key.kind, key, value, revision: '1' }]);
    const id = 'shop/h1-k8s-web-eth0';
    reports.programmed(
      new Map([[id, 'up']]),
      new Map([[id, { interfaceName: 'calia1', addresses: ['192.0.2.1/32'] }]]),
    );

    const endpoint = `${HOST}/workload/k8s/shop%2fweb/endpoint/eth0`;
    await until('endpoint is up', async () => (await raw.get(endpoint)) === '{"status":"up"}');
    const isSecond = /^\{"time":"[-0-9]+T[:0-9]+Z","uptime":\d+(\.\d+)?,"first_update":false\}$/;
    await until('second report', async () => isSecond.test((await raw.get(`${HOST}/status`)) ?? ''));
    // Longer than the lease: each report has a new one.
    await sleepMs(3_000);
    expect(await raw.get(`${HOST}/status`)).toMatch(isSecond);
    ended.abort();
    await done;
    await until('status gone', async () => (await raw.get(`${HOST}/status`)) === undefined);
    expect(await raw.get(`${HOST}/last_reported_status`)).toMatch(isSecond);
    expect(await raw.get(endpoint)).toBe('{"status":"up"}');
  });
});
