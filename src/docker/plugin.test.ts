import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { Conditions } from '../base/conditions.js';
import { silentLog } from '../base/log.js';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Ipam } from '../ipam/ipam.js';
import type { LooseCable } from '../workload/loose-cable.js';
import type { SecondInterface } from '../workload/second-way.js';
import { DockerEngine } from './engine.js';
import { FakeEngine } from './engine.fake.js';
import { NETWORKS_ANNOTATION } from './networks.js';
import { DockerPlugin } from './plugin.js';
import type { PluginMethod } from './plugin-server.js';
import { readDockerSettings } from './settings.js';

const NETWORK = 'a'.repeat(64);
const ENDPOINT = '0123456789abcdef'.repeat(4);
const HANDLE = 'libnetwork.calico-01';
const CALICO_DATA = [{ AddressSpace: 'CalicoGlobalAddressSpace', Gateway: '0.0.0.0/0', Pool: '0.0.0.0/0' }];

let fake: FakeEngine;
let datastore: MemoryDatastore;
let client: Client;
let cables: Map<string, LooseCable>;
let seconds: SecondInterface[];
let layFails: boolean;
let methods: Record<string, PluginMethod>;
let clock: FakeClock;
let folder: string;

function plugin(environment: Record<string, string> = {}, hostname = 'calico-01'): Record<string, PluginMethod> {
  return new DockerPlugin({
    client,
    ipam: new Ipam(datastore),
    hostname,
    settings: readDockerSettings(environment),
    kernel: {
      addSecondWay: (second) => Promise.resolve(seconds.push(second) > 0),
      lay: (cable) => {
        if (layFails) return Promise.reject(new Error('no cable'));
        return Promise.resolve(void cables.set(cable.hostInterface, cable));
      },
      detach: ({ hostInterface }) => Promise.resolve(cables.delete(hostInterface)),
      listLoose: () => Promise.resolve([]),
      isTaken: (hostInterface) => Promise.resolve(cables.has(hostInterface)),
      mtu: () => Promise.resolve(1_450),
    },
    conditions: new Conditions(clock),
    log: silentLog,
    clock,
    engine: new DockerEngine(fake.socketPath),
    memoryFile: join(folder, 'docker.json'),
  }).methods();
}

async function call(name: string, body: object = {}): Promise<object> {
  const method = methods[name];
  if (method === undefined) throw new Error(`no ${name}`);
  return method(body);
}

function addPool(name: string, cidr: string, blockSize?: number): Promise<unknown> {
  const spec = { cidr, ...(blockSize === undefined ? {} : { blockSize }) };
  return client.create({ apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec });
}

function showNetwork(name: string, containers: object = {}): void {
  fake.answers.set(`/networks/${NETWORK}`, {
    value: { Id: NETWORK, Name: name, Driver: 'calico', Containers: containers },
  });
}

const endpoint = (address: string, more: object = {}): object => ({
  NetworkID: NETWORK,
  EndpointID: ENDPOINT,
  Interface: { Address: address, AddressIPv6: '', MacAddress: '' },
  Options: {},
  ...more,
});

beforeEach(async () => {
  clock = new FakeClock();
  fake = await FakeEngine.start();
  folder = await mkdtemp(join(tmpdir(), 'calico-docker-plugin-'));
  datastore = new MemoryDatastore();
  client = new Client(datastore);
  cables = new Map();
  seconds = [];
  layFails = false;
  methods = plugin();
  await addPool('office', '192.168.0.0/24');
  showNetwork('net1');
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('the handshake', () => {
  test('names both drivers, the scope and the address spaces', async () => {
    expect(await call('Plugin.Activate')).toEqual({ Implements: ['NetworkDriver', 'IpamDriver'] });
    fake.answers.set('/info', { value: { ClusterStore: 'etcd://192.0.2.1:2379' } });
    expect(await call('NetworkDriver.GetCapabilities')).toEqual({ Scope: 'global' });
    expect(await call('IpamDriver.GetCapabilities')).toEqual({});
    expect(await call('IpamDriver.GetDefaultAddressSpaces')).toEqual({
      LocalDefaultAddressSpace: 'CalicoLocalAddressSpace',
      GlobalDefaultAddressSpace: 'CalicoGlobalAddressSpace',
    });
    methods = plugin({ CALICO_LIBNETWORK_SCOPE: 'local' });
    expect(await call('NetworkDriver.GetCapabilities')).toEqual({ Scope: 'local' });
  });
});

describe('IpamDriver.RequestPool', () => {
  test.each([
    [{}, 'CalicoPoolIPv4', '0.0.0.0/0'],
    [{ Pool: '0.0.0.0/0' }, 'CalicoPoolIPv4', '0.0.0.0/0'],
    [{ V6: true }, 'CalicoPoolIPv6', '::/0'],
    [{ Pool: '192.168.0.0/24' }, '192.168.0.0/24', '192.168.0.0/24'],
  ])('answers %j', async (request, PoolID, Pool) => {
    const zero = Pool.includes(':') ? '::/0' : '0.0.0.0/0';
    const answer = { PoolID, Pool, Data: { 'com.docker.network.gateway': zero } };
    expect(await call('IpamDriver.RequestPool', request)).toEqual(answer);
  });

  test.each([
    [{ Pool: '192.168.0.0/24', SubPool: '192.168.0.0/26' }, /^Calico IPAM does not support sub pool configuration on/],
    [{ Options: { a: 'b' } }, 'Arbitrary options are not supported'],
    [{ Pool: '192.168.0.0/33' }, 'Invalid CIDR'],
    [{ Pool: '10.0.0.0/8' }, 'The requested subnet must match the CIDR of a configured Calico IP Pool.'],
  ])('refuses %j', async (request, message) => {
    await expect(call('IpamDriver.RequestPool', request)).rejects.toThrow(message);
  });
});

describe('IpamDriver.RequestAddress', () => {
  test('assigns from any pool, holds it for the host, and gives it back', async () => {
    const { Address } = (await call('IpamDriver.RequestAddress', { PoolID: 'CalicoPoolIPv4' })) as { Address: string };
    expect(Address).toMatch(/^192\.168\.0\.\d+\/32$/);
    const bare = Address.replace('/32', '');
    expect(await new Ipam(datastore).addressesByHandle(HANDLE)).toEqual([bare]);
    await call('IpamDriver.ReleaseAddress', { PoolID: 'CalicoPoolIPv4', Address: bare });
    await call('IpamDriver.ReleaseAddress', { PoolID: 'CalicoPoolIPv4', Address: bare });
    await call('IpamDriver.ReleaseAddress', { PoolID: 'CalicoPoolIPv4', Address: '0.0.0.0' });
    await expect(new Ipam(datastore).addressesByHandle(HANDLE)).rejects.toThrow('no address is held');
  });

  test('assigns from the pool named, and a given address', async () => {
    await addPool('small', '198.51.100.0/26');
    const from = { PoolID: '198.51.100.0/26' };
    const { Address } = (await call('IpamDriver.RequestAddress', from)) as { Address: string };
    expect(Address).toMatch(/^198\.51\.100\./);
    const given = { PoolID: '192.168.0.0/24', Address: '192.168.0.100' };
    expect(await call('IpamDriver.RequestAddress', given)).toEqual({ Address: '192.168.0.100/32', Data: {} });
    await expect(call('IpamDriver.RequestAddress', given)).rejects.toThrow(
      'The address 192.168.0.100 is already in use',
    );
  });

  test('gives a lost answer again after a restart', async () => {
    const given = { PoolID: '192.168.0.0/24', Address: '192.168.0.100' };
    await call('IpamDriver.RequestAddress', given);
    methods = plugin();
    expect(await call('IpamDriver.RequestAddress', given)).toEqual({ Address: '192.168.0.100/32', Data: {} });
  });

  test('after a restart refuses an address that a container still has, and gives it once that is gone', async () => {
    const given = { PoolID: '192.168.0.0/24', Address: '192.168.0.100' };
    await call('IpamDriver.RequestAddress', given);
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.100/32'));
    await call('NetworkDriver.Join', { NetworkID: NETWORK, EndpointID: ENDPOINT, SandboxKey: '/run/docker/netns/a' });
    methods = plugin();
    await expect(call('IpamDriver.RequestAddress', given)).rejects.toThrow(
      'The address 192.168.0.100 is already in use',
    );
    // As after a power failure: endpoint and address were never given back.
    cables.clear();
    expect(await call('IpamDriver.RequestAddress', given)).toEqual({ Address: '192.168.0.100/32', Data: {} });
  });

  test("refuses what is in no pool, somebody else's, a gateway, and a pool that is gone", async () => {
    await new Ipam(datastore).assignIp({ address: '192.168.0.9', hostname: 'calico-02', handleId: 'other' });
    const from = (Address: string, more: object = {}): Promise<object> =>
      call('IpamDriver.RequestAddress', { PoolID: '192.168.0.0/24', Address, ...more });
    await expect(from('192.168.0.9')).rejects.toThrow('The address 192.168.0.9 is already in use');
    await expect(from('10.0.0.1')).rejects.toThrow(
      'The address 10.0.0.1 is not in one of the configured Calico IP pools',
    );
    const gateway = { Options: { RequestAddressType: 'com.docker.network.gateway' } };
    await expect(from('192.168.0.1', gateway)).rejects.toThrow('Calico IPAM does not support specifying a gateway.');
    expect(await from('0.0.0.0', gateway)).toEqual({ Address: '0.0.0.0/0', Data: {} });
    await expect(call('IpamDriver.RequestAddress', { PoolID: '10.0.0.0/8' })).rejects.toThrow(
      'The network references a Calico pool which has been deleted.',
    );
    await expect(call('IpamDriver.RequestAddress', { PoolID: 'CalicoPoolIPv6' })).rejects.toThrow(
      'There are no available IP addresses in the configured Calico IP pools',
    );
  });
});

describe('NetworkDriver.CreateNetwork', () => {
  const create = (Options: object, data: object[] = CALICO_DATA): Promise<object> =>
    call('NetworkDriver.CreateNetwork', { NetworkID: NETWORK, Options, IPv4Data: data, IPv6Data: [] });
  const generic = (options: object): object => ({ 'com.docker.network.generic': options });
  const DOCKER_DATA = [{ AddressSpace: 'GlobalDefault', Gateway: '192.168.50.1/24', Pool: '192.168.50.0/24' }];

  test('takes what every engine sends', async () => {
    expect(await create({ 'com.docker.network.enable_ipv4': true, ...generic({}) })).toEqual({});
  });

  test.each([
    [{ 'com.docker.network.internal': true }, 'Calico driver does not support the flag --internal.'],
    [generic({ REJECT: '' }), 'Calico driver does not support the flag REJECT.'],
    [generic({ REJECT2: 'x', REJECT: '' }), 'Calico driver does not support the flags REJECT, REJECT2.'],
    [generic({ ipip: 'true' }), /^Calico driver does not support the flag ipip\. With Calico IPAM the pool says it/],
  ])('refuses %j', async (options, message) => {
    await expect(create(options)).rejects.toThrow(message);
  });

  test('makes a pool that IPAM leaves alone where Docker gives the addresses, and takes it away with the network', async () => {
    await create(generic({ ipip: 'true', 'nat-outgoing': 'true' }), DOCKER_DATA);
    const { value } = await client.get({ kind: 'IPPool', name: '192-168-50-0-24' });
    expect(value.spec).toMatchObject({
      cidr: '192.168.50.0/24',
      ipipMode: 'Always',
      natOutgoing: true,
      disabled: true,
    });
    await call('NetworkDriver.DeleteNetwork', { NetworkID: NETWORK });
    expect(await client.find({ kind: 'IPPool', name: '192-168-50-0-24' })).toBeUndefined();
  });

  test('refuses as a subnet of Docker a pool that IPAM gives from, and options that say neither yes nor no', async () => {
    const Data = [{ AddressSpace: 'GlobalDefault', Gateway: '192.0.2.1/24', Pool: '192.0.2.0/24' }];
    await addPool('192-0-2-0-24', '192.0.2.0/24');
    await expect(create({}, Data)).rejects.toThrow(/192\.0\.2\.0\/24 is a Calico IP Pool: .* add --ipam-driver calico/);
    await expect(create(generic({ 'nat-outgoing': 'maybe' }), DOCKER_DATA)).rejects.toThrow(
      '--opt nat-outgoing=maybe: "maybe" is neither true nor false',
    );
  });

  test('shares that pool with the same network of another host', async () => {
    await create({}, DOCKER_DATA);
    const other = 'b'.repeat(64);
    const again = { NetworkID: other, Options: {}, IPv4Data: DOCKER_DATA, IPv6Data: [] };
    await call('NetworkDriver.CreateNetwork', again);
    await call('NetworkDriver.DeleteNetwork', { NetworkID: NETWORK });
    expect((await client.get({ kind: 'IPPool', name: '192-168-50-0-24' })).value.metadata.annotations).toEqual({
      [NETWORKS_ANNOTATION]: other,
    });
  });

  test("refuses IPv6 addresses of Docker's own, and leaves nothing of the network", async () => {
    const IPv6Data = [{ AddressSpace: 'GlobalDefault', Gateway: 'fd80:24e2:f998:72d6::1/64', Pool: 'fd80::/64' }];
    const both = { NetworkID: NETWORK, Options: {}, IPv4Data: DOCKER_DATA, IPv6Data };
    await expect(call('NetworkDriver.CreateNetwork', both)).rejects.toThrow('for IPv6 add --ipam-driver calico');
    expect((await client.list('IPPool')).map(({ key }) => key.name)).toEqual(['office']);
  });

  test('says which pool a subnet overlaps with', async () => {
    const data = [{ AddressSpace: 'GlobalDefault', Gateway: '192.168.0.1/25', Pool: '192.168.0.0/25' }];
    await expect(create({}, data)).rejects.toThrow('overlaps with pool "office"');
  });
});

describe('NetworkDriver.CreateEndpoint', () => {
  const profile = async (name: string) => (await client.get({ kind: 'Profile', name })).value;
  const stored = async () => (await client.list('WorkloadEndpoint', 'libnetwork')).map(({ value }) => value);

  test("writes profile and endpoint, and answers a MAC of the address's", async () => {
    const answer = await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    expect(answer).toEqual({ Interface: { MacAddress: '02:42:c0:a8:00:07' } });
    expect((await profile('net1')).spec).toEqual({
      labelsToApply: { net1: '' },
      ingress: [{ action: 'Allow', source: { selector: 'has(net1)' } }],
      egress: [{ action: 'Allow' }],
    });
    expect(await stored()).toMatchObject([
      {
        metadata: { name: `calico--01-libnetwork-libnetwork-${ENDPOINT}` },
        spec: {
          orchestrator: 'libnetwork',
          node: 'calico-01',
          interfaceName: 'cali0123456789a',
          ipNetworks: ['192.168.0.7/32'],
          mac: '02:42:c0:a8:00:07',
          profiles: ['net1'],
        },
      },
    ]);
  });

  test('leaves a MAC of the user alone', async () => {
    const Interface = { Address: '192.168.0.7/32', MacAddress: '02:00:5E:00:53:01' };
    expect(await call('NetworkDriver.CreateEndpoint', endpoint('', { Interface }))).toEqual({ Interface: {} });
    expect((await stored())[0]?.spec.mac).toBe('02:00:5e:00:53:01');
  });

  test('uses a profile that was there before as it is, and leaves it there', async () => {
    const spec = { egress: [{ action: 'Deny' as const }] };
    await client.create({ apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: { name: 'net1' }, spec });
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    await call('NetworkDriver.DeleteNetwork', { NetworkID: NETWORK });
    expect((await profile('net1')).spec).toEqual(spec);
  });

  test('takes its own profile away with the network', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    await call('NetworkDriver.DeleteEndpoint', { NetworkID: NETWORK, EndpointID: ENDPOINT });
    await call('NetworkDriver.DeleteNetwork', { NetworkID: NETWORK });
    expect(await client.find({ kind: 'Profile', name: 'net1' })).toBeUndefined();
    expect(await stored()).toEqual([]);
  });

  test('makes no profile where none are wanted', async () => {
    methods = plugin({ CALICO_LIBNETWORK_CREATE_PROFILES: 'False' });
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    expect((await stored())[0]?.spec.profiles).toEqual([]);
    expect(await client.find({ kind: 'Profile', name: 'net1' })).toBeUndefined();
  });

  test('holds the address that it was let go of meanwhile', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    expect(await new Ipam(datastore).addressesByHandle(HANDLE)).toEqual(['192.168.0.7']);
  });

  test('refuses an endpoint without address, and published ports unless told to let them pass', async () => {
    await expect(call('NetworkDriver.CreateEndpoint', endpoint(''))).rejects.toThrow(
      'No address assigned for endpoint',
    );
    const Options = { 'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostPort: 8080 }] };
    const published = endpoint('192.168.0.7/32', { Options });
    await expect(call('NetworkDriver.CreateEndpoint', published)).rejects.toThrow(/^cannot publish 8080:80: /);
    methods = plugin({ CALICO_LIBNETWORK_PUBLISHED_PORTS: 'ignore' });
    expect(await call('NetworkDriver.CreateEndpoint', published)).toHaveProperty('Interface');
  });

  test('refuses an address of Docker that its engine on another host gave, too', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.50.2/24'));
    methods = plugin({}, 'calico-02');
    const second = endpoint('192.168.50.2/24', { EndpointID: 'f'.repeat(64) });
    await expect(call('NetworkDriver.CreateEndpoint', second)).rejects.toThrow(
      'The address 192.168.50.2 is already in use on calico-01: ',
    );
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.50.3/24', { EndpointID: 'f'.repeat(64) }));
    expect(await stored()).toHaveLength(2);
  });

  test('publishes by way of Docker where Docker gives the addresses', async () => {
    const Options = { 'com.docker.network.portmap': [{ Proto: 6, Port: 80, HostPort: 8080 }] };
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.50.2/24', { Options }));
    expect((await stored())[0]?.spec.ipNetworks).toEqual(['192.168.50.2/32']);
  });
});

describe('NetworkDriver.Join', () => {
  const reference = { NetworkID: NETWORK, EndpointID: ENDPOINT };
  const joins = (sandbox = '/run/docker/netns/a'): Promise<object> =>
    call('NetworkDriver.Join', { ...reference, SandboxKey: sandbox, Options: {} });

  test('lays the cable and leads everything to the host, for both families', async () => {
    await addPool('six', 'fd80:24e2:f998:72d6::/64');
    const Interface = { Address: '192.168.0.7/32', AddressIPv6: 'fd80:24e2:f998:72d6::7/128', MacAddress: '' };
    await call('NetworkDriver.CreateEndpoint', endpoint('', { Interface }));
    expect(await joins()).toEqual({
      InterfaceName: { SrcName: 'temp0123456789a', DstPrefix: 'cali' },
      Gateway: '169.254.1.1',
      GatewayIPv6: 'fe80::ecee:eeff:feee:eeee',
      StaticRoutes: [
        { Destination: '169.254.1.1/32', RouteType: 1, NextHop: '' },
        { Destination: 'fe80::ecee:eeff:feee:eeee/128', RouteType: 1, NextHop: '' },
      ],
      DisableGatewayService: false,
    });
    expect([...cables.values()]).toEqual([
      {
        hostInterface: 'cali0123456789a',
        looseInterface: 'temp0123456789a',
        addresses: ['192.168.0.7', 'fd80:24e2:f998:72d6::7'],
        mtu: 1_450,
        mac: '02:42:c0:a8:00:07',
      },
    ]);
  });

  test('a network without IPv4, as Docker 28 makes them, leads everything to the host by IPv6', async () => {
    await addPool('six', 'fd80:24e2:f998:72d6::/64');
    await call('NetworkDriver.CreateNetwork', {
      NetworkID: NETWORK,
      Options: { 'com.docker.network.enable_ipv4': false, 'com.docker.network.enable_ipv6': true },
      IPv4Data: null,
      IPv6Data: [{ AddressSpace: 'CalicoLocalAddressSpace', Gateway: '::/0', Pool: '::/0' }],
    });
    const Interface = { Address: '', AddressIPv6: 'fd80:24e2:f998:72d6::7/128', MacAddress: '' };
    const created = await call('NetworkDriver.CreateEndpoint', endpoint('', { Interface }));
    expect(created).toEqual({ Interface: { MacAddress: '02:42:01:23:45:67' } });
    expect(await joins()).toEqual({
      InterfaceName: { SrcName: 'temp0123456789a', DstPrefix: 'cali' },
      Gateway: '',
      GatewayIPv6: 'fe80::ecee:eeff:feee:eeee',
      StaticRoutes: [{ Destination: 'fe80::ecee:eeff:feee:eeee/128', RouteType: 1, NextHop: '' }],
      DisableGatewayService: true,
    });
  });

  test('an engine that starts again, and answers nobody meanwhile, has its containers back on their networks', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    await call('NetworkDriver.DeleteEndpoint', reference);
    fake.answers.clear();
    methods = plugin();
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.8/32'));
    expect(await joins()).toMatchObject({ Gateway: '169.254.1.1' });
    const [stored] = await client.list('WorkloadEndpoint', 'libnetwork');
    expect(stored?.value.spec).toMatchObject({ profiles: ['net1'], ipNetworks: ['192.168.0.8/32'] });
  });

  test('answers as before after a restart between the two calls', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    methods = plugin();
    expect(await joins()).toMatchObject({ Gateway: '169.254.1.1' });
  });

  test('leaves the way out to Docker where Docker gave the addresses', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.50.2/24'));
    expect(await joins()).toMatchObject({
      Gateway: '',
      GatewayIPv6: '',
      StaticRoutes: [],
      DisableGatewayService: false,
    });
  });

  test("gives the endpoint its container's name and the labels meant for policy", async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    showNetwork('net1', { [`ep-${ENDPOINT}`]: { Name: 'web', EndpointID: ENDPOINT } });
    const filters = encodeURIComponent(JSON.stringify({ name: ['^/web$'] }));
    const Labels = {
      'org.projectcalico.label.role': 'front',
      'org.projectcalico.label.bad key': 'x',
      maintainer: 'somebody',
    };
    fake.answers.set(`/containers/json?all=1&filters=${filters}`, {
      value: [{ Id: 'c'.repeat(64), Names: ['/web'], Labels }],
    });
    await joins();
    const [stored] = await client.list('WorkloadEndpoint', 'libnetwork');
    expect(stored?.value.metadata).toMatchObject({
      labels: { role: 'front', 'projectcalico.org/orchestrator': 'libnetwork' },
      annotations: {
        'docker.projectcalico.org/container': 'web',
        'docker.projectcalico.org/names': 'cccccccccccc',
        'docker.projectcalico.org/network': 'net1',
        'docker.projectcalico.org/sandbox': '/run/docker/netns/a',
      },
    });
    expect(stored?.value.metadata.labels).not.toHaveProperty('bad key');
  });

  test('a second interface gets a way out of its own, and makes the first a member of its network', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    await joins();
    const second = { NetworkID: 'b'.repeat(64), EndpointID: 'f'.repeat(64) };
    fake.answers.set(`/networks/${second.NetworkID}`, { value: { Id: second.NetworkID, Name: 'net2' } });
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.8/32', second));
    const joined = await call('NetworkDriver.Join', { ...second, SandboxKey: '/run/docker/netns/a' });
    expect(joined).toMatchObject({ Gateway: '', DisableGatewayService: true, StaticRoutes: [] });
    expect(await call('NetworkDriver.EndpointOperInfo', reference)).toEqual({ Value: {} });
    await call('NetworkDriver.EndpointOperInfo', second);
    expect(seconds.at(-1)).toEqual({
      netns: '/run/docker/netns/a',
      hostInterface: 'califffffffffff',
      addresses: ['192.168.0.8'],
    });
    const profiles = async () =>
      (await client.list('WorkloadEndpoint', 'libnetwork')).map(({ value }) => value.spec.profiles);
    expect(await profiles()).toEqual([
      ['net1', 'net2'],
      ['net2', 'net1'],
    ]);
    await call('NetworkDriver.Leave', second);
    await call('NetworkDriver.DeleteEndpoint', second);
    expect(await profiles()).toEqual([['net1']]);
  });

  test('what others gave an endpoint stays when the container joins one more network, and is released with it', async () => {
    const ipam = new Ipam(datastore);
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    await joins();
    await ipam.assignIp({ address: '192.168.0.99', hostname: 'calico-01', handleId: HANDLE });
    const [own] = await client.list('WorkloadEndpoint', 'libnetwork');
    if (own === undefined) throw new Error('no endpoint');
    await client.change({ kind: 'WorkloadEndpoint', namespace: 'libnetwork', name: own.key.name }, (stored) => ({
      ...stored,
      spec: { ...stored.spec, ipNetworks: ['192.168.0.7/32', '192.168.0.99/32'], profiles: ['net1', 'mine'] },
    }));
    const second = { NetworkID: 'b'.repeat(64), EndpointID: 'f'.repeat(64) };
    fake.answers.set(`/networks/${second.NetworkID}`, { value: { Id: second.NetworkID, Name: 'net2' } });
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.8/32', second));
    await call('NetworkDriver.Join', { ...second, SandboxKey: '/run/docker/netns/a' });
    const seen = async () => (await client.get(own.key)).value.spec;
    expect(await seen()).toMatchObject({
      ipNetworks: ['192.168.0.7/32', '192.168.0.99/32'],
      profiles: ['net1', 'mine', 'net2'],
    });
    await call('NetworkDriver.DeleteEndpoint', second);
    expect((await seen()).profiles).toEqual(['net1', 'mine']);
    expect(await ipam.addressesByHandle(HANDLE)).toContain('192.168.0.99');
    await call('NetworkDriver.DeleteEndpoint', reference);
    await expect(ipam.attributes('192.168.0.99')).rejects.toThrow('is not assigned');
  });

  test('what failed to join is nobody’s companion, though the datastore hears of both late', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    layFails = true;
    await expect(joins()).rejects.toThrow('no cable');
    await call('NetworkDriver.DeleteEndpoint', reference);
    layFails = false;
    const second = { NetworkID: NETWORK, EndpointID: 'f'.repeat(64) };
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.8/32', second));
    const joined = await call('NetworkDriver.Join', { ...second, SandboxKey: '/run/docker/netns/a' });
    expect(joined).toMatchObject({ Gateway: '169.254.1.1' });
  });

  test('takes the cable away when the container leaves', async () => {
    await call('NetworkDriver.CreateEndpoint', endpoint('192.168.0.7/32'));
    await joins();
    await call('NetworkDriver.Leave', reference);
    await call('NetworkDriver.Leave', reference);
    expect(cables.size).toBe(0);
  });

  test('refuses an endpoint it never heard of', async () => {
    await expect(joins()).rejects.toThrow('is not known on this host');
  });
});

describe('requests that no engine makes', () => {
  test.each([
    ['NetworkDriver.CreateEndpoint', {}, 'NetworkID'],
    ['NetworkDriver.Join', { NetworkID: '../x', EndpointID: ENDPOINT }, 'an id has only letters and digits'],
    ['IpamDriver.RequestAddress', { PoolID: 7 }, 'PoolID'],
    [
      'IpamDriver.RequestPool',
      'x' as unknown as object,
      'IpamDriver.RequestPool: the request is not as engines write it',
    ],
  ])('%s %j', async (name, body, message) => {
    await expect(call(name, body)).rejects.toThrow(message);
  });
});
