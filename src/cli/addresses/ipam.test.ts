import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Ipam } from '../../ipam/ipam.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { Client } from '../../client/client.js';
import { CalicoctlFake, ok, refused } from '../calicoctl.fake.js';

/** calicoctl over one datastore in memory, initialised and with a pool. */
async function setUp() {
  const datastore = new MemoryDatastore();
  const calicoctl = new CalicoctlFake(datastore, { readFile: (path) => readFile(path, 'utf8') }).type;
  await new Client(datastore).ensureInitialized();
  await calicoctl('pool add 192.0.2.0/24');
  return { datastore, calicoctl, ipam: new Ipam(datastore) };
}

describe('calicoctl ipam show', () => {
  test('counts what is reserved', async () => {
    const { calicoctl } = await setUp();
    await calicoctl(
      'apply -f -',
      'apiVersion: projectcalico.org/v3\nkind: IPReservation\nmetadata: {name: r}\nspec: {reservedCIDRs: [192.0.2.0/26]}\n',
    );
    expect((await calicoctl('ipam show')).stdout).toContain(
      '| IP Pool  | 192.0.2.0/24 |       256 | 0 (0%)     | 64 (25%)     | 192 (75%) |',
    );
  });

  test('shows both owners of an address that moves', async () => {
    const { calicoctl, datastore } = await setUp();
    await datastore.create(
      { kind: 'IPAMBlock', name: '192.0.2.0/32' },
      {
        cidr: '192.0.2.0/32',
        allocations: [0],
        unallocated: [],
        attributes: [{ handle_id: 'h', secondary: { pod: 'a' }, alternateOwnerAttrs: { pod: 'b', node: 'n2' } }],
      },
    );
    await datastore.delete({ kind: 'IPPool', name: '192-0-2-0-24' });
    expect((await calicoctl('ipam show --ip=192.0.2.0')).stdout).toBe(
      'IP 192.0.2.0 is in use\nHandle ID: h\nActive Owner Attributes:\n  pod: a\nAlternate Owner Attributes:\n  node: n2\n  pod: b\n',
    );
  });

  test('shows what hosts borrowed from others', async () => {
    const { calicoctl, ipam } = await setUp();
    const borrower = { node: 'n2', namespace: 'shop', pod: 'web' };
    await ipam.assignIp({ address: '192.0.2.1', hostname: 'n1', handleId: 'a', attributes: { node: 'n1', pod: 'db' } });
    await ipam.assignIp({ address: '192.0.2.2', hostname: 'n2', handleId: 'b', attributes: borrower });
    await ipam.assignIp({
      address: '192.0.2.3',
      hostname: 'n2',
      attributes: { node: 'n2', type: 'ipipTunnelAddress' },
    });
    expect((await calicoctl('ipam show --show-borrowed')).stdout).toBe(
      [
        '+-----------+----------------+--------------+-------------+-------------------+--------------+',
        '|    IP     | BORROWING-NODE |    BLOCK     | BLOCK OWNER |       TYPE        | ALLOCATED-TO |',
        '+-----------+----------------+--------------+-------------+-------------------+--------------+',
        '| 192.0.2.2 | n2             | 192.0.2.0/26 | n1          | pod               | shop/web     |',
        '| 192.0.2.3 | n2             | 192.0.2.0/26 | n1          | ipipTunnelAddress |              |',
        '+-----------+----------------+--------------+-------------+-------------------+--------------+',
        '',
      ].join('\n'),
    );
  });
});

describe('calicoctl ipam configure', () => {
  test('sets what is given and keeps the rest', async () => {
    const { calicoctl, ipam } = await setUp();
    expect(await calicoctl('ipam configure --strictaffinity=true --max-blocks-per-host=1')).toEqual(
      ok('Successfully set StrictAffinity to: true\nSuccessfully set MaxBlocksPerHost to: 1\n'),
    );
    expect(await calicoctl('ipam configure --ip-cooldown-seconds=60 --kubevirt-ip-persistence=Disabled')).toEqual(
      ok('Successfully set KubeVirtVMAddressPersistence to: Disabled\nSuccessfully set IPCooldownSeconds to: 60\n'),
    );
    expect((await calicoctl('ipam show --show-configuration')).stdout).toBe(
      [
        '+------------------------------+----------+',
        '|           PROPERTY           |  VALUE   |',
        '+------------------------------+----------+',
        '| StrictAffinity               | true     |',
        '| AutoAllocateBlocks           | true     |',
        '| MaxBlocksPerHost             |        1 |',
        '| KubeVirtVMAddressPersistence | Disabled |',
        '| IPCooldownSeconds            |       60 |',
        '+------------------------------+----------+',
        '',
      ].join('\n'),
    );
    const { ipv4 } = await ipam.autoAssign({ ipv4: 70, hostname: 'n1', use: 'Workload', handleId: 'a' });
    expect([ipv4.addresses.length, ipv4.messages]).toEqual([
      64,
      ['cannot allocate new block due to per host block limit'],
    ]);
    await ipam.releaseByHandle('a');
    const again = await ipam.autoAssign({ ipv4: 1, hostname: 'n1', use: 'Workload' });
    expect(again.ipv4.addresses).toEqual([]);
  });

  test('refuses what makes no sense, and writes nothing', async () => {
    const { calicoctl } = await setUp();
    expect(await calicoctl('ipam configure')).toEqual(refused('at least one configuration option must be specified\n'));
    expect(await calicoctl('ipam configure --strictaffinity=yes')).toEqual(
      refused('invalid value. Use true or false to set strictaffinity\n'),
    );
    const limit = await calicoctl('ipam configure --max-blocks-per-host=3');
    expect([limit.status, limit.stderr]).toEqual([1, expect.stringContaining('it needs strictAffinity')]);
    const cooldown = await calicoctl('ipam configure --ip-cooldown-seconds=1201');
    expect([cooldown.status, cooldown.stderr]).toEqual([1, expect.stringContaining('1200')]);
    expect((await calicoctl('get ipamconfig')).stdout).toBe('NAME   STRICTAFFINITY   AUTOALLOCATEBLOCKS\n\n');
  });
});

describe('calicoctl datastore migrate', () => {
  test('lock stops assignment, not release, until unlock', async () => {
    const { calicoctl, ipam } = await setUp();
    await ipam.assignIp({ address: '192.0.2.1', hostname: 'n1', handleId: 'a' });
    expect(await calicoctl('datastore migrate lock')).toEqual(ok('Datastore locked.\n'));
    const refusal = 'no address is assigned: the datastore is locked (datastoreReady is false)';
    await expect(ipam.assignIp({ address: '192.0.2.2', hostname: 'n1' })).rejects.toThrow(refusal);
    await expect(ipam.autoAssign({ ipv4: 1, hostname: 'n1', use: 'Workload' })).rejects.toThrow(refusal);
    expect(await ipam.releaseByHandle('a')).toMatchObject({ released: ['192.0.2.1'] });
    expect(await calicoctl('datastore migrate unlock')).toEqual(ok('Datastore unlocked.\n'));
    await ipam.assignIp({ address: '192.0.2.2', hostname: 'n1' });
    expect((await ipam.attributes('192.0.2.2')).block).toBe('192.0.2.0/26');
  });

  test('says that there is nothing to lock', async () => {
    const { calicoctl, datastore } = await setUp();
    await datastore.delete({ kind: 'ClusterInformation', name: 'default' });
    const { status, stderr } = await calicoctl('datastore migrate lock');
    expect([status, stderr]).toEqual([1, expect.stringContaining('has no ClusterInformation "default"')]);
  });
});

describe('calicoctl ipam split', () => {
  test('needs a locked datastore, then replaces the pool', async () => {
    const { calicoctl } = await setUp();
    expect(await calicoctl('ipam split 2 --cidr=192.0.2.0/24')).toEqual(
      refused(
        'datastore is not locked: it must be, to split a pool\n  hint: run first: calicoctl datastore migrate lock\n',
      ),
    );
    await calicoctl('datastore migrate lock');
    expect(await calicoctl('ipam split 2 --cidr=192.0.2.0/24')).toEqual(
      ok(
        [
          'Successfully split pool "192-0-2-0-24" (192.0.2.0/24) into 2:',
          '  split-192-0-2-0-24-0 192.0.2.0/25',
          '  split-192-0-2-0-24-1 192.0.2.128/25',
          'You may now unlock the data store.',
          '',
        ].join('\n'),
      ),
    );
    const again = await calicoctl('ipam split 2 --name=192-0-2-0-24');
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('there is no IP pool "192-0-2-0-24"')]);
  });

  test('wants one pool and a number', async () => {
    const { calicoctl } = await setUp();
    for (const words of ['2', '2 --cidr=192.0.2.0/24 --name=a']) {
      expect((await calicoctl(`ipam split ${words}`)).stderr).toBe('give the pool: either --cidr or --name\n');
    }
    expect((await calicoctl('ipam split two --name=a')).stderr).toBe('"two" is not a number of parts\n');
  });
});

describe('calicoctl ipam check and release', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-ipam-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Three addresses held, two of them by nobody; and a handle that holds none. */
  async function withLeaks() {
    const set = await setUp();
    await set.calicoctl(
      'apply -f -',
      [
        'apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: n1}\nspec: {ipv4VXLANTunnelAddr: 192.0.2.1}',
        'apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: n2}\nspec: {}',
      ].join('\n---\n'),
    );
    const type = 'vxlanTunnelAddress';
    await set.ipam.assignIp({
      address: '192.0.2.1',
      hostname: 'n1',
      handleId: 'vxlan-tunnel-addr-n1',
      attributes: { node: 'n1', type },
    });
    const attributes = { node: 'n1', namespace: 'shop', pod: 'web' };
    await set.ipam.assignIp({ address: '192.0.2.2', hostname: 'n1', handleId: 'web', attributes });
    await set.ipam.assignIp({ address: '192.0.2.3', hostname: 'n1', handleId: 'db' });
    await set.datastore.put({ kind: 'IPAMHandle', name: 'ghost' }, { block: {} });
    return set;
  }

  test('check tells what it looks at and what it finds', async () => {
    const { calicoctl } = await withLeaks();
    const { stdout, stderr, status } = await calicoctl('ipam check --show-problem-ips');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      [
        'Checking IPAM for inconsistencies...',
        '',
        'Loading all IPAM blocks...',
        'Found 1 IPAM blocks.',
        ' IPAM block 192.0.2.0/26 affinity=host:n1:',
        'IPAM blocks record 3 allocations.',
        '',
        'Loading all IPAM pools...',
        '  192.0.2.0/24',
        'Found 1 active IP pools.',
        '',
        'Loading all nodes.',
        'Found 1 node tunnel IPs.',
        '',
        'Loading all service load balancers.',
        'Found 0 service load balancer IPs.',
        '',
        'Loading all workload endpoints.',
        'Found 0 workload IPs.',
        'Workloads and nodes are using 1 IPs.',
        '',
        'Loading all handles',
        'Found 4 handles.',
        '',
        'Looking for top (up to 20) nodes by allocations...',
        '  n1 has 2 allocations',
        '  (no node) has 1 allocations',
        'Node with most allocations has 2; median is 1',
        '',
        'Scanning for IPs that are allocated but not actually in use...',
        '  192.0.2.2 is allocated but not in use: handle "web" (namespace: shop, node: n1, pod: web)',
        '  192.0.2.3 is allocated but not in use: handle "db"',
        'Found 2 IPs that are allocated in IPAM but not actually in use.',
        'Scanning for IPs that are in use by a workload or node but not allocated in IPAM...',
        'Found 0 in-use IPs that are not in active IP pools.',
        'Found 0 in-use IPs that are in active IP pools but have no corresponding IPAM allocation.',
        '',
        'Scanning for IPAM handles with no matching IPs...',
        '  handle "ghost" holds no address',
        'Found 1 handles with no matching IPs (and 3 handles with matches).',
        'Scanning for IPs with missing handle...',
        'Found 0 handles mentioned in blocks with no matching handle resource.',
        'Scanning for addresses that two have at once...',
        'Found 0 IPs that several workloads or nodes use.',
        'Found 0 IPs that several blocks allocate.',
        'Scanning for blocks that are damaged or that nobody looks after...',
        'Found 0 damaged blocks.',
        'Found 0 blocks that lie within others.',
        'Found 0 blocks outside all IP pools.',
        'Found 0 blocks of nodes that are gone.',
        'Scanning for affinities that do not fit their blocks...',
        'Found 0 affinities without block.',
        'Found 0 blocks whose owner has no affinity.',
        'Found 0 affinities to blocks of others.',
        'Found 0 affinities that somebody left half done.',
        'Scanning for objects that cannot be read...',
        'Found 0 unreadable objects.',
        'Check complete; found 3 problems.',
        '',
      ].join('\n'),
    );
    expect((await calicoctl('ipam check --show-all-ips')).stdout).toContain(
      '  192.0.2.1 allocated to handle "vxlan-tunnel-addr-n1" (node: n1, type: vxlanTunnelAddress); in use by Node "n1" (VXLAN tunnel)\n',
    );
  });

  test('release gives one address back', async () => {
    const { calicoctl } = await withLeaks();
    expect(await calicoctl('ipam release --ip=192.0.2.3')).toEqual(ok('Successfully released IP address 192.0.2.3\n'));
    expect(await calicoctl('ipam release --ip=192.0.2.3')).toEqual(refused('IP address 192.0.2.3 is not assigned\n'));
    expect((await calicoctl('ipam release --ip=192.0.2.300')).stderr).toBe('"192.0.2.300" is not an IP address\n');
    expect((await calicoctl('ipam release 192.0.2.2 --from-report=a.json')).stderr).toBe(
      'give what to release: an address alone, --ip or --from-report\n',
    );
    for (const words of ['', ' --ip=192.0.2.2 --from-report=a.json']) {
      expect((await calicoctl(`ipam release${words}`)).stderr).toBe(
        'give what to release: either --ip or --from-report\n',
      );
    }
  });

  test('release takes a report of the locked datastore, and what leaked in all of several', async () => {
    const { calicoctl, ipam } = await withLeaks();
    const [first, second] = [join(directory, 'first.json'), join(directory, 'second.json')];
    await calicoctl(`ipam check -o ${first}`);
    await calicoctl('ipam release --ip=192.0.2.3');
    await ipam.assignIp({ address: '192.0.2.3', hostname: 'n1', handleId: 'db' });
    await calicoctl('datastore migrate lock');
    await calicoctl(`ipam check -o ${second}`);
    const both = `ipam release --from-report=${first} --from-report=${second}`;
    expect((await calicoctl(both)).stderr).toContain(
      'the datastore was not locked all the time since the report was made',
    );
    // The newer assignment of 192.0.2.3 is not the one that leaked in the first.
    expect(await calicoctl(`${both} --force --dry-run`)).toEqual(
      ok(
        [
          'Trying to release 1 IPs that leaked in all reports...',
          'Would have released 1 IPs',
          'Trying to release 1 handles that hold no IPs...',
          '.',
          'Would have released 1 handles; 0 changed since the report was made',
          '1 IPAMBlock would be changed',
          '2 IPAMHandle would be deleted',
          '',
        ].join('\n'),
      ),
    );
    expect(await calicoctl(`${both} --force`)).toEqual(
      ok(
        [
          'Releasing 1 IPs that leaked in all reports...',
          'Released 1 IPs successfully',
          'Releasing 1 handles that hold no IPs...',
          '.',
          'Released 1 handles; 0 changed since the report was made',
          'You may now unlock the data store.',
          '',
        ].join('\n'),
      ),
    );
    expect((await calicoctl(`ipam release --from-report=${second}`)).stdout).toContain('Released 1 IPs successfully\n');
    expect((await calicoctl('ipam check')).stdout).toContain('Check complete; found 0 problems.');
  });

  test('release of a report ends with Ctrl-C, and says what it did', async () => {
    const { calicoctl, datastore } = await withLeaks();
    const file = join(directory, 'interrupted.json');
    await calicoctl('datastore migrate lock');
    await calicoctl(`ipam check -o ${file}`);
    const enough = new AbortController();
    let said = '';
    const stdout = (text: string) => {
      said += text;
      enough.abort();
    };
    const surroundings = { readFile: (path: string) => readFile(path, 'utf8'), signal: enough.signal, stdout };
    const { status, stderr } = await new CalicoctlFake(datastore, surroundings).type(
      `ipam release --from-report=${file}`,
    );
    expect([status, said, stderr]).toEqual([
      130,
      'Releasing 2 IPs that leaked...\nReleased 0 IPs successfully\n',
      'interrupted\n',
    ]);
    expect((await calicoctl(`ipam release --from-report=${file}`)).stdout).toContain('Released 2 IPs successfully\n');
  });

  test('release refuses reports that may not be true any more', async () => {
    const { calicoctl, datastore } = await withLeaks();
    const file = join(directory, 'report.json');
    const release = `ipam release --from-report=${file}`;
    await calicoctl('datastore migrate lock');
    await calicoctl(`ipam check -o ${file}`);
    const report = JSON.parse(await readFile(file, 'utf8')) as object;
    const refusals: readonly [object, string][] = [
      [{ ...report, version: 'v0.0.1' }, 'the report was made by version v0.0.1'],
      [{ ...report, datastoreLocked: false }, 'the datastore was not locked all the time'],
      [{ ...report, clusterGUID: 'other' }, 'the report is of another cluster: other'],
      [{ ...report, leakedAddresses: [{ ip: 7 }] }, `${file} is no report of ipam check`],
    ];
    for (const [changed, text] of refusals) {
      await writeFile(file, JSON.stringify(changed));
      const { status, stderr } = await calicoctl(release);
      expect([status, stderr]).toEqual([1, expect.stringContaining(text)]);
    }
    await writeFile(file, JSON.stringify({ ...report, clusterGUID: 'other' }));
    expect((await calicoctl(`${release} --force`)).status).toBe(1);
    await writeFile(file, JSON.stringify(report));
    await calicoctl('datastore migrate unlock');
    expect((await calicoctl(release)).stderr).toContain('datastore is not locked');
    expect((await datastore.list('IPAMHandle')).items).toHaveLength(4);
  });

  test('release leaves alone what somebody got since the report, and names it', async () => {
    const { calicoctl, ipam } = await withLeaks();
    const file = join(directory, 'old.json');
    await calicoctl(`ipam check -o ${file}`);
    await calicoctl('ipam release --ip=192.0.2.3');
    await ipam.assignIp({ address: '192.0.2.3', hostname: 'n1', handleId: 'db' });
    const { status, stdout, stderr } = await calicoctl(`ipam release --force --from-report=${file}`);
    expect([status, stderr]).toEqual([1, expect.stringContaining('192.0.2.3 is not released: it was assigned again')]);
    expect(stdout).toContain('Released 1 IPs successfully\n');
    expect((await ipam.attributes('192.0.2.3')).handleId).toBe('db');
  });
});
