import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { Client } from '../client/client.js';
import { DEFAULT_POOL_ANNOTATION } from '../api/kinds/ip-pool.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { parsePrefix } from '../net/prefix.js';
import type { HostInterface } from './address-choice.js';
import { readNodeSettings } from './settings.js';
import { startUp, type StartUpOptions } from './start-up.js';

const eth0: HostInterface = { name: 'eth0', addresses: ['192.0.2.11/24', '2001:db8::11/64'].map(parsePrefix) };

let datastore: MemoryDatastore;
let client: Client;

beforeEach(() => {
  datastore = new MemoryDatastore();
  client = new Client(datastore);
});

function start(environment: Record<string, string> = {}, more: Partial<StartUpOptions> = {}) {
  return startUp({
    client,
    clock: new FakeClock(),
    name: 'calico-01',
    settings: readNodeSettings(environment),
    interfaces: [eth0],
    sources: {},
    randomBytes: (count) => new Uint8Array(count).fill(0xab),
    hasIpv6: true,
    ownsNodeConfiguration: true,
    ...more,
  });
}

const node = async (name = 'calico-01') => (await client.get({ kind: 'Node', name })).value;
const pools = async () => (await client.list('IPPool')).map(({ value }) => `${value.metadata.name} ${value.spec.cidr}`);

describe('startUp()', () => {
  test('writes Node, pools, cluster, tiers and configurations', async () => {
    const { notices, warnings } = await start();
    expect(warnings).toEqual([]);
    expect(notices).toEqual([
      'created node "calico-01"',
      'created default pool 192.168.0.0/16',
      'created default pool fdab:abab:abab::/48',
    ]);
    expect((await node()).spec).toEqual({
      bgp: { ipv4Address: '192.0.2.11/24' },
      addresses: [
        { address: '192.0.2.11/24', type: 'CalicoNodeIP' },
        { address: '192.0.2.11', type: 'InternalIP' },
      ],
      interfaces: [{ name: 'eth0', addresses: ['192.0.2.11/24', '2001:db8::11/64'] }],
    });
    const { value: pool } = await client.get({ kind: 'IPPool', name: 'default-ipv4-ippool' });
    expect(pool.metadata.annotations).toEqual({ [DEFAULT_POOL_ANNOTATION]: 'true' });
    expect(pool.spec).toMatchObject({ natOutgoing: true, ipipMode: 'Never', blockSize: 26 });
    const { value: cluster } = await client.get({ kind: 'ClusterInformation', name: 'default' });
    expect(cluster.spec).toMatchObject({ datastoreReady: true, calicoVersion: 'v0.1.0' });
    expect((await client.list('Tier')).map(({ key }) => key.name)).toContain('default');
    const { value: felix } = await client.get({ kind: 'FelixConfiguration', name: 'default' });
    expect(felix.spec).toMatchObject({ reportingInterval: '0s', logSeverityScreen: 'Info' });
    const own = await client.get({ kind: 'FelixConfiguration', name: 'node.calico-01' });
    expect(own.value.spec).toMatchObject({ defaultEndpointToHostAction: 'Return' });
    expect((await client.get({ kind: 'BGPConfiguration', name: 'default' })).value.kind).toBe('BGPConfiguration');
    expect((await datastore.get({ kind: 'IPAMConfiguration', name: 'default' })).value).toMatchObject({
      spec: { autoAllocateBlocks: true },
    });
  });

  test('a second start writes nothing', async () => {
    await start();
    const before = (await datastore.list('Node')).revision;
    const { notices } = await start();
    expect(notices).toEqual([]);
    expect((await datastore.list('Node')).revision).toBe(before);
  });

  test('keeps what somebody set', async () => {
    await start({ AS: '64999' });
    const { value } = await client.get({ kind: 'FelixConfiguration', name: 'default' });
    await client.update({ ...value, spec: { ...value.spec, logSeverityScreen: 'Debug' } });
    await start();
    const after = await client.get({ kind: 'FelixConfiguration', name: 'default' });
    expect(after.value.spec).toMatchObject({ logSeverityScreen: 'Debug' });
    expect((await node()).spec.bgp).toMatchObject({ asNumber: 64_999 });
  });

  test('IP set to nothing keeps the stored address, autodetect replaces it', async () => {
    await start();
    const moved = { interfaces: [{ name: 'eth0', addresses: [parsePrefix('192.0.2.99/24')] }] };
    await start({}, moved);
    expect((await node()).spec.bgp?.ipv4Address).toBe('192.0.2.11/24');
    await start({ IP: 'autodetect' }, moved);
    expect((await node()).spec.bgp?.ipv4Address).toBe('192.0.2.99/24');
  });

  test('a bare IPv4 address has the length of its interface, IPv6 is /128, and one that the host lacks is warned of', async () => {
    await start({ IP: '192.0.2.11', IP6: 'autodetect' });
    expect((await node()).spec.bgp).toEqual({ ipv4Address: '192.0.2.11/24', ipv6Address: '2001:db8::11/64' });
    await start({ IP6: '2001:db8::11' });
    expect((await node()).spec.bgp?.ipv6Address).toBe('2001:db8::11/128');
    const { warnings } = await start({ IP: '198.51.100.1' });
    expect((await node()).spec.bgp?.ipv4Address).toBe('198.51.100.1/32');
    expect(warnings).toEqual(['no interface of this host has the address 198.51.100.1']);
  });

  test('keeps the stored address when none is found, and fails when none is stored', async () => {
    await start();
    const { warnings } = await start({ IP: 'autodetect' }, { interfaces: [] });
    expect(warnings[0]).toContain('it keeps 192.0.2.11/24');
    await expect(start({}, { interfaces: [], name: 'calico-02' })).rejects.toThrow(
      'no IPv4 address of this host found by "first-found": there is no interface',
    );
  });

  test('refuses an address that another node has, unless told not to look', async () => {
    await start();
    await expect(start({}, { name: 'calico-02' })).rejects.toThrow(
      'node "calico-02" cannot have the address 192.0.2.11: node "calico-01" has it',
    );
    await expect(node('calico-02')).rejects.toThrow('calico-02');
    await start({ DISABLE_NODE_IP_CHECK: 'true' }, { name: 'calico-02' });
    expect((await node('calico-02')).spec.bgp?.ipv4Address).toBe('192.0.2.11/24');
  });

  test('policy alone needs no address', async () => {
    await start({ CALICO_NETWORKING_BACKEND: 'none' }, { interfaces: [] });
    expect((await node()).spec.bgp).toBeUndefined();
  });

  test('creates no pool where one is, where none is wanted, or over the host’s own network', async () => {
    await start({ NO_DEFAULT_POOLS: 'true' });
    expect(await pools()).toEqual([]);
    const home = { name: 'eth0', addresses: ['192.168.1.5/24', '172.16.0.1/12'].map(parsePrefix) };
    await start({ CALICO_IPV6POOL_CIDR: 'none' }, { interfaces: [home] });
    // The host's /12 covers every candidate: better one that overlaps than none.
    expect(await pools()).toEqual(['default-ipv4-ippool 192.168.0.0/16']);
    await start({ CALICO_IPV4POOL_CIDR: '10.0.0.0/8', FELIX_IPV6SUPPORT: 'no' });
    expect(await pools()).toEqual(['default-ipv4-ippool 192.168.0.0/16']);
  });

  test('a pool that was asked for does not step aside', async () => {
    await start({ CALICO_IPV4POOL_CIDR: '10.9.0.0/16' });
    const { value } = await client.get({ kind: 'IPPool', name: 'default-ipv4-ippool' });
    expect(value.metadata.annotations?.[DEFAULT_POOL_ANNOTATION]).toBeUndefined();
  });
});
