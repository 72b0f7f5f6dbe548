import { describe, expect, test } from 'vitest';
import { NotFoundError } from '../base/errors.js';
import { Ipam } from '../ipam/ipam.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Client } from '../client/client.js';
import { run } from './main.js';

/** calicoctl over one datastore in memory, initialised and with a pool. */
async function setUp() {
  const datastore = new MemoryDatastore();
  const calicoctl = async (line: string, stdin = '') => {
    let stdout = '';
    let stderr = '';
    const status = await run(line.split(' '), {
      environment: {},
      datastore,
      readFile: () => Promise.reject(new NotFoundError('ERR', 'none')),
      readStdin: () => Promise.resolve(stdin),
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
    });
    return { status, stdout, stderr };
  };
  await new Client(datastore).ensureInitialized();
  await calicoctl('pool add 192.0.2.0/24');
  return { datastore, calicoctl, ipam: new Ipam(datastore) };
}

const ok = (stdout: string) => ({ status: 0, stdout, stderr: '' });
const refused = (stderr: string) => ({ status: 1, stdout: '', stderr });

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
