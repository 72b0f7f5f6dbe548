import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { Client } from '../../client/client.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { Ipam } from '../../ipam/ipam.js';
import type { Context } from '../command.js';
import { DryRun } from '../dry-run.js';
import { formatBlock } from '../printer.js';
import type { ContainerKernel } from './container-kernel.js';
import { type ContainerPlace, workloadOfPath } from './container-place.js';
import { containerCommands } from './containers.js';
import { CONTAINER } from './families.js';
import { firstEra } from './first-era.contract.js';
import { performForm } from './perform.js';

const ID = 'c0ffee'.padEnd(64, '0');

function place(fields: Partial<ContainerPlace> = {}): ContainerPlace {
  return {
    typed: 'web',
    orchestrator: 'docker',
    workload: ID,
    netns: 4711,
    isOnHostNetwork: false,
    dockerEndpoints: [],
    ...fields,
  };
}

/** What the kernel was asked, and what it holds: the interface inside each container, by the host's end. */
class FakeKernel {
  readonly asked: string[] = [];
  readonly inside = new Map<string, string>();
  failure: Error | undefined;
  /** The next addresses cannot be taken away. */
  removal: Error | undefined;

  get kernel(): ContainerKernel {
    const fail = () => {
      if (this.failure !== undefined) throw this.failure;
    };
    return {
      attach: ({ hostInterface, containerInterface = 'eth0', addresses }) => {
        fail();
        this.asked.push(`attach ${containerInterface} ${addresses.join(' ')}`);
        this.inside.set(hostInterface, containerInterface);
        return Promise.resolve({
          hostIndex: 7,
          containerIndex: 2,
          mac: '02:00:5e:00:53:01',
          hostMac: 'ee:ee:ee:ee:ee:ee',
        });
      },
      detach: ({ hostInterface }) => {
        this.asked.push('detach');
        return Promise.resolve(this.inside.delete(hostInterface));
      },
      addAddress: ({ containerInterface = '', address }) => {
        fail();
        this.asked.push(`add ${address} to ${containerInterface}`);
        return Promise.resolve();
      },
      removeAddress: ({ containerInterface = '', address }) => {
        if (this.removal !== undefined) throw this.removal;
        this.asked.push(`remove ${address} from ${containerInterface}`);
        return Promise.resolve(true);
      },
      findInterfaces: ({ hostInterface, name }) =>
        Promise.resolve({
          attached: this.inside.get(hostInterface),
          hasNamed: name === 'lo' || [...this.inside.values()].includes(name ?? ''),
        }),
      mtu: () => Promise.resolve(1450),
    };
  }
}

async function setUp(found = place()) {
  const datastore = new MemoryDatastore();
  const client = new Client(datastore);
  const ipam = new Ipam(datastore);
  const fake = new FakeKernel();
  const plain = firstEra(datastore);
  await plain('pool add 192.168.1.0/24 fd80:24e2:f998:72d6::/64');
  let current: ContainerPlace | undefined = found;
  const commands = containerCommands({ kernel: fake.kernel, find: () => Promise.resolve(current) });
  const context = {
    environment: { NODENAME: 'calico-01', CALICOCTL_NO_NOTES: '1' },
    readFile: () => Promise.reject(new Error('none')),
    connect: () => Promise.resolve(client),
  } as unknown as Context;
  const dryContext = { ...context, connect: () => Promise.resolve(new DryRun(datastore, () => undefined).client) };
  const container = async (line: string, options: Readonly<Record<string, unknown>> = {}) => {
    const call = { arguments: line.split(' '), options };
    const {
      output = [],
      errors = [],
      status = 0,
    } = await performForm(CONTAINER, commands, call, options['dryRun'] === true ? dryContext : context);
    return { said: output.map(formatBlock).join(''), refused: errors.join('\n'), status };
  };
  const stored = async () => (await client.list('WorkloadEndpoint')).map(({ value }) => value);
  const addresses = async () => (await stored()).flatMap(({ spec }) => spec.ipNetworks ?? []);
  const isAssigned = async (address: string) => (await plain(`ipam info ${address}`)).stdout.startsWith('Attributes');
  const revision = async () => (await datastore.list('WorkloadEndpoint')).revision;
  return {
    container,
    revision,
    plain,
    stored,
    addresses,
    isAssigned,
    fake,
    ipam,
    see: (next?: ContainerPlace) => (current = next),
  };
}

const done = (said: string) => ({ said: `${said}\n`, refused: '', status: 0 });
const refused = (...lines: readonly string[]) => ({ said: '', refused: lines.join('\n'), status: 0 });

beforeEach(() => {
  vi.spyOn(process, 'geteuid').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('calicoctl container add', () => {
  test('gives the container an interface, an address and an endpoint without profile', async () => {
    const { container, stored, fake, isAssigned } = await setUp();
    expect(await container('add web 192.168.1.5')).toEqual(done('IP 192.168.1.5 added to web'));
    expect(fake.asked).toEqual(['attach eth1 192.168.1.5']);
    const [endpoint] = await stored();
    const id = endpoint?.spec.endpoint ?? '';
    expect(endpoint).toMatchObject({
      metadata: { name: `calico--01-docker-${ID}-${id}`, namespace: 'default' },
      spec: {
        orchestrator: 'docker',
        workload: ID,
        ipNetworks: ['192.168.1.5/32'],
        interfaceName: `cali${id.slice(0, 11)}`,
        profiles: [],
      },
    });
    expect(await isAssigned('192.168.1.5')).toBe(true);
  });

  test.each([
    ['ipv4', /^IP 192\.168\.1\.\d+ added to web\n$/],
    ['ipv6', /^IP fd80:24e2:f998:72d6:\S+ added to web\n$/],
    ['192.168.1.0/24', /^IP 192\.168\.1\.\d+ added to web\n$/],
  ])('%s takes one from a pool', async (word, said) => {
    const { container } = await setUp();
    expect((await container(`add web ${word}`)).said).toMatch(said);
  });

  test.each([
    ['10.0.0.1', '10.0.0.1 is not in any configured pools'],
    ['192.168.1.7', 'IP address is already assigned in pool 192.168.1.0/24'],
    ['192.168.0.0/16', 'Invalid CIDR specified for desired pool. No pool found for 192.168.0.0/16.'],
    ['ten', 'Invalid IP address specified: ten\n  hint: write an address, ipv4, ipv6, or the CIDR of a pool'],
  ])('refuses %s', async (word, message) => {
    const { container, ipam, stored } = await setUp();
    await ipam.assignIp({ address: '192.168.1.7', hostname: 'calico-02' });
    expect(await container(`add web ${word}`)).toEqual(refused(message));
    expect(await stored()).toEqual([]);
  });

  test('says when pools are used up', async () => {
    const { container, plain } = await setUp();
    await plain('pool remove 192.168.1.0/24');
    await expect(container('add web ipv4')).rejects.toThrow(/pool/);
    const { container: other, plain: cli, ipam } = await setUp();
    await cli('pool remove 192.168.1.0/24');
    await cli('pool range add 192.168.9.0 192.168.9.1');
    for (const last of [0, 1]) await ipam.assignIp({ address: `192.168.9.${last}`, hostname: 'calico-01' });
    expect(await other('add web ipv4')).toEqual(
      refused('Failed to allocate any IPs (requested 1 IPv4s and 0 IPv6s). Pools are likely exhausted.'),
    );
  });

  test.each([
    [{ netns: undefined }, 'web is not currently running.'],
    [{ isOnHostNetwork: true }, "Can't add web to Calico because it is running NetworkMode = host."],
  ])('refuses a container that is %j', async (fields, message) => {
    const { container } = await setUp(place(fields));
    expect(await container('add web 192.168.1.5')).toEqual(refused(message));
  });

  test('refuses a second time, and one that nobody knows', async () => {
    const { container, see } = await setUp();
    await container('add web 192.168.1.5');
    expect(await container('add web 192.168.1.6')).toEqual(
      refused('web has already been configured with Calico Networking.'),
    );
    see(undefined);
    expect(await container('add db 192.168.1.6')).toEqual(refused('Container db was not found.'));
  });

  test('refuses an interface that the kernel could not name', async () => {
    const { container, fake, isAssigned } = await setUp();
    const hint = 'at most 15 characters, none of them a blank, "/" or ":"';
    expect(await container('add web 192.168.1.5', { interface: 'name-of-16-chars' })).toEqual(
      refused(`"name-of-16-chars" is not a name for an interface\n  hint: ${hint}`),
    );
    expect([fake.asked, await isAssigned('192.168.1.5')]).toEqual([[], false]);
  });

  test('leaves nothing behind when the kernel refuses', async () => {
    const { container, fake, stored, isAssigned } = await setUp();
    fake.failure = new CalicoError('ERR', 'eth1 is there already');
    await expect(container('add web 192.168.1.5')).rejects.toThrow('eth1 is there already');
    expect([await stored(), await isAssigned('192.168.1.5'), fake.asked]).toEqual([[], false, ['detach']]);
  });

  test('needs root', async () => {
    const { container } = await setUp();
    vi.spyOn(process, 'geteuid').mockReturnValue(1000);
    expect(await container('add web 192.168.1.5')).toEqual({
      said: '',
      refused: 'This command must be run as root.',
      status: 2,
    });
  });
});

describe('calicoctl container C ip', () => {
  test('adds a second and a third address and takes one away', async () => {
    const { container, addresses, fake, isAssigned } = await setUp();
    await container('add web 192.168.1.5');
    expect(await container('web ip add 192.168.1.6')).toEqual(done('IP 192.168.1.6 added to web'));
    await container('web ip add fd80:24e2:f998:72d6::6', { interface: 'eth1' });
    expect(await addresses()).toEqual(['192.168.1.5/32', '192.168.1.6/32', 'fd80:24e2:f998:72d6::6/128']);
    expect(await container('web ip remove 192.168.1.6')).toEqual(done('IP 192.168.1.6 removed from web'));
    expect(await addresses()).toEqual(['192.168.1.5/32', 'fd80:24e2:f998:72d6::6/128']);
    expect(await isAssigned('192.168.1.6')).toBe(false);
    expect(fake.asked).toEqual([
      'attach eth1 192.168.1.5',
      'add 192.168.1.6 to eth1',
      'add fd80:24e2:f998:72d6::6 to eth1',
      'remove 192.168.1.6 from eth1',
    ]);
  });

  test('refuses what is not there', async () => {
    const { container } = await setUp();
    expect(await container('web ip add 192.168.1.6')).toEqual(
      refused(
        'Failed to add IP address to container.',
        'Container web is unknown to Calico.',
        'Use "calicoctl container add" to add the container to the Calico network.',
      ),
    );
    await container('add web 192.168.1.5');
    const absent = refused('Interface provided does not exist in container. Aborting.');
    expect(await container('web ip add 192.168.1.6', { interface: 'eth7' })).toEqual(absent);
    expect(await container('web ip remove 192.168.1.5', { interface: 'eth7' })).toEqual(absent);
    expect(await container('web ip add 192.168.1.6', { interface: 'lo' })).toEqual(
      refused("Interface lo of web is none of Calico's.", '  hint: those of Calico are eth1'),
    );
    expect(await container('web ip add 192.168.1.5')).toEqual(
      refused('IP address is already assigned in pool 192.168.1.0/24'),
    );
    expect(await container('web ip remove 192.168.1.6')).toEqual(
      refused('IP address is not assigned to container. Aborting.'),
    );
    expect(await container('web ip remove six')).toEqual(refused('Invalid IP address specified: six'));
  });

  test('takes the address back when the kernel refuses', async () => {
    const { container, fake, addresses, isAssigned } = await setUp();
    await container('add web 192.168.1.5');
    fake.failure = new CalicoError('ERR', 'no IPv6');
    await expect(container('web ip add 192.168.1.6')).rejects.toThrow('no IPv6');
    expect([await addresses(), await isAssigned('192.168.1.6')]).toEqual([['192.168.1.5/32'], false]);
  });

  test('leaves an address with the other host that has it by now', async () => {
    const { container, addresses, ipam } = await setUp();
    await container('add web 192.168.1.5');
    await container('web ip add 192.168.1.6');
    await ipam.releaseIps([{ address: '192.168.1.6' }]);
    const attributes = { node: 'calico-02' };
    await ipam.assignIp({ address: '192.168.1.6', hostname: 'calico-02', handleId: 'other', attributes });
    expect(await container('web ip remove 192.168.1.6')).toEqual(done('IP 192.168.1.6 removed from web'));
    expect([await addresses(), await ipam.addressesByHandle('other')]).toEqual([['192.168.1.5/32'], ['192.168.1.6']]);
  });

  test('ip remove ends what was broken off before the address was released', async () => {
    const { container, fake, isAssigned } = await setUp();
    await container('add web 192.168.1.5');
    await container('web ip add 192.168.1.6');
    fake.removal = new CalicoError('ERR', 'killed');
    await expect(container('web ip remove 192.168.1.6')).rejects.toThrow('killed');
    expect(await isAssigned('192.168.1.6')).toBe(true);
    fake.removal = undefined;
    expect(await container('web ip remove 192.168.1.6')).toEqual(done('IP 192.168.1.6 removed from web'));
    expect(await isAssigned('192.168.1.6')).toBe(false);
    expect(await container('web ip remove 192.168.1.6')).toEqual(
      refused('IP address is not assigned to container. Aborting.'),
    );
  });

  test("finds the interface of a container on a Docker network, and lets Docker's plugin look after the address", async () => {
    const { container, plain, fake, ipam, see } = await setUp();
    const endpoint = 'ab12cd34ef56'.padEnd(64, '0');
    see(place({ dockerEndpoints: [endpoint] }));
    await plain(
      'create -f -',
      `apiVersion: projectcalico.org/v3\nkind: WorkloadEndpoint\nmetadata: {name: calico--01-libnetwork-libnetwork-${endpoint}, namespace: libnetwork}\nspec: {orchestrator: libnetwork, workload: libnetwork, node: calico-01, endpoint: ${endpoint}, interfaceName: caliab12cd34ef5, ipNetworks: [192.168.1.1/32]}\n`,
    );
    fake.inside.set('caliab12cd34ef5', 'cali0');
    expect(await container('web ip add 192.168.1.6')).toEqual(done('IP 192.168.1.6 added to web'));
    expect(fake.asked).toEqual(['add 192.168.1.6 to cali0']);
    expect(await ipam.addressesByHandle('libnetwork.calico-01')).toEqual(['192.168.1.6']);
    expect((await container('remove web')).refused).toMatch(/^web is on a network of Docker\.\n/);
  });
});

describe('calicoctl container, the rest', () => {
  test('remove takes everything away, also of a container that Docker has forgotten', async () => {
    const { container, stored, isAssigned, see } = await setUp();
    await container('add web 192.168.1.5');
    await container('web ip add 192.168.1.6');
    see(undefined);
    expect(await container('remove c0ffee')).toEqual(done('Removed Calico from c0ffee'));
    expect([await stored(), await isAssigned('192.168.1.5'), await isAssigned('192.168.1.6')]).toEqual([
      [],
      false,
      false,
    ]);
    see(place());
    expect(await container('remove web')).toEqual(refused('Container web is unknown to Calico.'));
  });

  test('shows endpoints and changes profiles', async () => {
    const { container, plain, stored } = await setUp();
    expect(await container('web endpoint show')).toEqual(refused('Container web is unknown to Calico.'));
    await container('add web 192.168.1.5');
    for (const name of ['a', 'b']) await plain(`profile add ${name}`);
    expect(await container('web profile append a b')).toEqual(done('Profile(s) a, b appended.'));
    expect(await container('web profile append a')).toEqual(refused('Profile a is already in endpoint profile list'));
    expect(await container('web profile append z')).toEqual(refused('Profile z does not exist.'));
    expect(await container('web profile remove a')).toEqual(done('Profile(s) a removed.'));
    expect(await container('web profile remove a')).toEqual(refused('Profile a is not in endpoint profile list'));
    expect((await container('web endpoint show')).said).toMatch(
      /\| calico-01 \| +docker +\| c0ffee0+ \| [0-9a-f]{32} \| 192\.168\.1\.5 \| 02:00:5e:00:53:01 \| +b +\| active \|/,
    );
    const [endpoint] = await stored();
    const id = endpoint?.spec.endpoint ?? '';
    expect((await plain(`endpoint ${id} profile set a`)).stdout).toBe('Profile(s) set to a.\n');
    expect((await plain(`endpoint ${id} profile show`)).stdout).toBe(
      '+------+\n| Name |\n+------+\n|  a   |\n+------+\n',
    );
    expect(await plain('profile remove a')).toMatchObject({ status: 1 });
    expect(await container('web profile set')).toEqual(done('Removed all profiles from endpoint.'));
    expect(await plain('endpoint show')).toMatchObject({
      stdout: [
        '+-----------+-----------------+--------------+--------------+',
        '| Hostname  | Orchestrator ID | NumWorkloads | NumEndpoints |',
        '+-----------+-----------------+--------------+--------------+',
        '| calico-01 |     docker      |      1       |      1       |',
        '+-----------+-----------------+--------------+--------------+',
        '',
      ].join('\n'),
    });
    expect((await plain('endpoint nobody profile show')).stderr).toBe('Could not find endpoint nobody.\n');
  });

  test('a dry run changes neither the datastore nor the kernel', async () => {
    const { container, fake, plain, revision } = await setUp();
    await plain('profile add a');
    const dryRun = { dryRun: true };
    const before = await revision();
    expect(await container('add web 192.168.1.5', dryRun)).toEqual({ said: '', refused: '', status: 0 });
    expect([fake.asked, await revision()]).toEqual([[], before]);
    await container('add web 192.168.1.5');
    const asked = [...fake.asked];
    const added = await revision();
    for (const line of ['web ip add 192.168.1.6', 'web ip remove 192.168.1.5', 'web profile set a', 'remove web']) {
      expect([line, await container(line, dryRun)]).toEqual([line, { said: '', refused: '', status: 0 }]);
    }
    expect((await container('add web 192.168.1.7', dryRun)).refused).toContain('already been configured');
    expect([fake.asked, await revision()]).toEqual([asked, added]);
  });

  test('the path of a namespace names a workload', () => {
    expect(workloadOfPath('/var/run/netns/web')).toBe('run-netns-web');
    expect(workloadOfPath('/run/netns/web')).toBe('run-netns-web');
    expect(workloadOfPath('/proc/4711/ns/net')).toBe('proc-4711-ns-net');
    expect(workloadOfPath('/run/netns/Web')).toMatch(/^run-netns-web-[0-9a-f]{8}$/);
  });
});
