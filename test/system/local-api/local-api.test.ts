import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostProcess } from '../../../lab/host.js';
import { until } from '../../../lab/processes.js';
import { loneHost } from '../../../lab/topology.js';
import { useLab } from '../../setup/lab.js';

const lab = useLab(loneHost());
const SOCKET = '/var/run/calico/calico.sock';

let node: HostProcess;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** As a shell script would ask: `curl --unix-socket`. */
async function curl(path: string, ...words: readonly string[]): Promise<Answer> {
  const { stdout } = await lab()
    .host('calico-01')
    .exec(['curl', '-sS', '-w', '%{http_code}', '--unix-socket', SOCKET, `http://calico${path}`, ...words]);
  const [, text = '', status = ''] = /^([^]*)(\d{3})$/.exec(stdout) ?? [];
  return { status: Number(status), body: JSON.parse(text) as Readonly<Record<string, unknown>> };
}

const post = (path: string, body: object): Promise<Answer> => curl(path, '-d', JSON.stringify(body));
const remove = (path: string, body?: object): Promise<Answer> =>
  curl(path, '-X', 'DELETE', ...(body === undefined ? [] : ['-d', JSON.stringify(body)]));

async function inside(netns: string, ...command: readonly string[]): Promise<{ status: number; stdout: string }> {
  return lab()
    .host('calico-01')
    .exec(['ip', 'netns', 'exec', netns, ...command], { check: false });
}

const pings = async (from: string, to: string): Promise<boolean> =>
  (await inside(from, 'ping', '-c', '1', '-W', '1', to)).status === 0;

/** Made with every workload of these tests: who is in it may talk to who is in it. */
const BLUE = `
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: blue}
spec:
  labelsToApply: {blue: ""}
  ingress: [{action: Allow, source: {selector: has(blue)}}]
  egress: [{action: Allow}]
`;

async function attach(name: string, more: object = {}): Promise<Answer> {
  await lab().host('calico-01').exec(['ip', 'netns', 'add', name]);
  return post('/v1/workloads', { netns: `/run/netns/${name}`, workload: name, profiles: ['blue'], ...more });
}

beforeAll(async () => {
  const host = lab().host('calico-01');
  node = await host.spawn(['calico-node'], { log: '/var/log/calico/node.log' });
  await until(
    'calico-node has programmed the kernel',
    async () => {
      const { stdout } = await host.exec(['curl', '-s', '--unix-socket', SOCKET, 'http://calico/v1/status'], {
        check: false,
      });
      return stdout.includes('"isProgrammed":true');
    },
    { deadlineMs: 20_000 },
  );
  await host.exec(['calicoctl', 'apply', '-f', '-'], { input: BLUE });
});

afterAll(async () => {
  await node.kill('SIGTERM');
});

describe('the local API of a host, asked with curl', () => {
  test('attached namespaces reach each other, and nobody reaches what is detached', async () => {
    const one = await attach('one', { addresses: ['192.168.10.1'] });
    expect(one).toMatchObject({ status: 200, body: { name: 'calico--01-cni-one-eth0', namespace: 'default' } });
    const two = await attach('two', { addresses: ['192.168.10.2'] });
    expect(two.status).toBe(200);
    await until('one reaches two', () => pings('one', '192.168.10.2'), { deadlineMs: 10_000 });
    const { body } = await curl('/v1/workloads');
    expect(body['workloads']).toMatchObject([
      { name: 'calico--01-cni-one-eth0', addresses: ['192.168.10.1/32'], profiles: ['blue'] },
      { name: 'calico--01-cni-two-eth0', addresses: ['192.168.10.2/32'], state: 'up' },
    ]);
    const path = '/v1/workloads/default/calico--01-cni-two-eth0';
    expect((await curl(path)).body).toMatchObject({ workload: 'two', endpoint: 'eth0', orchestrator: 'cni' });
    expect(await remove(path)).toEqual({ status: 200, body: { wasAttached: true } });
    expect(await pings('one', '192.168.10.2')).toBe(false);
    expect(await curl(path)).toMatchObject({ status: 404, body: { code: 'ERR_CALI_NODE_NO_WORKLOAD' } });
    expect(await remove(path)).toEqual({ status: 200, body: { wasAttached: false } });
  });

  test('a second address works at once, also of the other family, and not after it was taken away', async () => {
    expect((await attach('three', { addresses: ['192.168.10.3'] })).status).toBe(200);
    expect((await attach('four', { addresses: ['192.168.10.4', 'fd00:10::4'] })).status).toBe(200);
    const path = '/v1/workloads/default/calico--01-cni-three-eth0/addresses';
    const netns = '/run/netns/three';
    const more = await post(path, { netns, addresses: ['192.168.10.33', 'fd00:10::3'] });
    expect(more.body['addresses']).toEqual(['192.168.10.3/32', '192.168.10.33/32', 'fd00:10::3/128']);
    for (const address of ['192.168.10.3', '192.168.10.33', 'fd00:10::3']) {
      await until(`four reaches ${address}`, () => pings('four', address), { deadlineMs: 10_000 });
    }
    const less = await remove(`${path}/192.168.10.33`, { netns });
    expect(less.body['addresses']).toEqual(['192.168.10.3/32', 'fd00:10::3/128']);
    expect(await pings('four', '192.168.10.33')).toBe(false);
    expect(await pings('four', '192.168.10.3')).toBe(true);
    expect((await inside('three', 'ip', '-o', 'addr')).stdout).not.toContain('192.168.10.33');
  });

  test('an address out of the pools is assigned when none is named', async () => {
    const five = await attach('five');
    expect(five.body['addresses']).toEqual([expect.stringMatching(/^192\.168\.\d+\.\d+\/32$/)]);
    const path = '/v1/workloads/default/calico--01-cni-five-eth0/addresses';
    const more = await post(path, { netns: '/run/netns/five' });
    expect(more.body['addresses']).toHaveLength(2);
  });

  test('tells its version, its health and the mode of its socket', async () => {
    expect((await curl('/v1/status')).body).toMatchObject({
      node: 'calico-01',
      datastore: { isSingleHost: true },
      bgp: { asNumber: 64_512, ipv4Address: lab().host('calico-01').addresses.ipv4 },
    });
    expect(await curl('/v1/health')).toMatchObject({ status: 200, body: { isLive: true, isReady: true } });
    const { stdout } = await lab().host('calico-01').exec(['stat', '-c', '%a %U %G', SOCKET]);
    expect(stdout).toBe('660 root root\n');
  });

  test.each<readonly [string, readonly string[], number, string]>([
    ['/v1/workloads', ['-d', '{"netns": '], 400, 'ERR_CALI_LOCAL_BODY'],
    ['/v1/workloads', ['-d', '[]'], 400, 'ERR_CALI_LOCAL_REQUEST'],
    ['/v1/workloads', ['-d', '{"netns": true, "workload": 7}'], 400, 'ERR_CALI_LOCAL_REQUEST'],
    [
      '/v1/workloads',
      ['-d', '{"netns": "/run/netns/no", "workload": "x", "colour": 1}'],
      400,
      'ERR_CALI_LOCAL_REQUEST',
    ],
    ['/v1/workloads', ['-d', '{"netns": "/run/netns/no", "workload": "x"}'], 500, 'ERR_CALI_WORKLOAD_ATTACH'],
    ['/v1/workloads', ['-X', 'PUT'], 405, 'ERR_CALI_LOCAL_METHOD'],
    ['/v1/nothing', [], 404, 'ERR_CALI_LOCAL_ROUTE'],
    ['/v2/status', [], 404, 'ERR_CALI_LOCAL_ROUTE'],
    ['/v1/workloads/default/x/addresses', ['-d', '{"netns": 1}'], 404, 'ERR_CALI_NODE_NO_WORKLOAD'],
  ])('%s %j is refused', async (path, words, status, code) => {
    expect(await curl(path, ...words)).toMatchObject({ status, body: { code } });
  });

  test('a body that is far too large is refused, and the next request is served', async () => {
    const host = lab().host('calico-01');
    await host.exec(['bash', '-c', 'head -c 30000000 /dev/zero | tr "\\0" x >/tmp/junk']);
    expect(await curl('/v1/workloads', '--data-binary', '@/tmp/junk')).toMatchObject({
      status: 413,
      body: { code: 'ERR_CALI_LOCAL_TOO_LARGE' },
    });
    expect((await curl('/v1/health')).status).toBe(200);
  });
});
