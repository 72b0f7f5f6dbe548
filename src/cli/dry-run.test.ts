import { describe, expect, test } from 'vitest';
import { API_VERSION } from '../api/meta.js';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Ipam } from '../ipam/ipam.js';
import { CalicoctlFake } from './calicoctl.fake.js';

/** calicoctl on a store in memory, and the store's revision: it moves with every write. */
function setUp() {
  const datastore = new MemoryDatastore();
  const calicoctl = new CalicoctlFake(datastore).type;
  const revision = async () => (await datastore.list('IPPool')).revision;
  return { calicoctl, datastore, revision };
}

const yaml = (...documents: readonly object[]) =>
  documents.map((document) => JSON.stringify({ apiVersion: API_VERSION, ...document })).join('\n---\n');
const tier = { kind: 'Tier', metadata: { name: 'security' }, spec: { order: 5 } };
const policy = { kind: 'GlobalNetworkPolicy', metadata: { name: 'security.a' }, spec: { tier: 'security' } };
const pool = (name: string, cidr: string) => ({ kind: 'IPPool', metadata: { name }, spec: { cidr } });

describe('--dry-run', () => {
  test('judges documents that need one another as they would be judged, and writes nothing', async () => {
    const { calicoctl, revision } = setUp();
    await calicoctl('apply -f -', yaml(pool('office', '10.0.0.0/16')));
    const before = await revision();
    expect(await calicoctl('apply --dry-run -f -', yaml(tier, policy))).toEqual({
      status: 0,
      stderr: '',
      stdout: [
        'Tier(security) would be created',
        'GlobalNetworkPolicy(security.a) would be created',
        'Would have applied 2 resource(s)',
        '',
      ].join('\n'),
    });
    expect(await revision()).toBe(before);
    expect((await calicoctl('get tier security')).status).toBe(1);
  });

  test('refuses what would be refused', async () => {
    const { calicoctl, revision } = setUp();
    await calicoctl('apply -f -', yaml(pool('office', '10.0.0.0/16')));
    const before = await revision();
    const refusals: readonly (readonly [string, string, string])[] = [
      ['apply', yaml(policy), 'spec.tier: tier "security" does not exist'],
      ['apply', yaml(pool('other', '10.0.1.0/24')), '"10.0.1.0/24" overlaps with pool "office" (10.0.0.0/16)'],
      ['apply', yaml(pool('office', '10.1.0.0/16')), 'spec.cidr: it cannot change (from 10.0.0.0/16 to 10.1.0.0/16)'],
      ['create', yaml(pool('office', '10.0.0.0/16')), 'resource already exists: IPPool(office)'],
      ['replace', yaml(pool('none', '10.9.0.0/16')), 'resource does not exist: IPPool(none)'],
      ['delete', yaml(tier), 'resource does not exist: Tier(security)'],
    ];
    for (const [verb, text, message] of refusals) {
      const { status, stderr } = await calicoctl(`${verb} --dry-run -f -`, text);
      expect([status, stderr.includes(message) ? message : stderr]).toEqual([1, message]);
    }
    const stale = { ...pool('office', '10.0.0.0/16'), metadata: { name: 'office', resourceVersion: '1' } };
    expect((await calicoctl('replace --dry-run -f -', yaml(stale))).stderr).toContain(
      'update conflict: IPPool(office)',
    );
    expect(await revision()).toBe(before);
  });

  test('says what stays, what changes, what goes, and counts what went well', async () => {
    const { calicoctl, revision } = setUp();
    await calicoctl('apply -f -', yaml(pool('office', '10.0.0.0/16'), pool('lab', '10.5.0.0/16')));
    const before = await revision();
    const changed = { ...pool('lab', '10.5.0.0/16'), spec: { cidr: '10.5.0.0/16', natOutgoing: true } };
    const text = yaml(pool('office', '10.0.0.0/16'), changed, pool('bad', '10.5.1.0/24'));
    const { stdout, stderr } = await calicoctl('apply --dry-run -f -', text);
    expect(stderr).toMatch(/\n {2}would not be applied: IPPool\(bad\); all others would\n$/);
    expect(stdout).toBe(
      [
        'IPPool(office) would stay as it is',
        'IPPool(lab) would be changed',
        "Would have applied the first 2 out of 3 'IPPool' resources:",
        '',
      ].join('\n'),
    );
    expect((await calicoctl('delete ippool office --dry-run')).stdout).toBe(
      "IPPool(office) would be deleted\nWould have deleted 1 'IPPool' resource(s)\n",
    );
    expect((await calicoctl('pool remove 10.5.0.0/16 --dry-run')).stdout).toBe('IPPool(lab) would be deleted\n');
    expect((await calicoctl('pool add 10.6.0.0/16 --dry-run')).stdout).toBe('IPPool(10-6-0-0-16) would be created\n');
    expect(await revision()).toBe(before);
  });

  test('of addresses and the lock says what would be done', async () => {
    const { calicoctl, datastore, revision } = setUp();
    await calicoctl('apply -f -', yaml(pool('office', '10.0.0.0/16')));
    await new Client(datastore).ensureInitialized();
    await new Ipam(datastore).assignIp({ address: '10.0.0.7', hostname: 'h1', handleId: 'h' });
    const before = await revision();
    const told: readonly (readonly [string, readonly string[]])[] = [
      [
        'ipam configure --strictaffinity=true --ip-cooldown-seconds=60',
        [
          'IPAMConfiguration(default) would be created',
          'Would have set StrictAffinity to: true',
          'Would have set IPCooldownSeconds to: 60',
        ],
      ],
      [
        'ipam release --ip=10.0.0.7',
        ['1 IPAMBlock would be changed', '1 IPAMHandle would be deleted', 'Would have released IP address 10.0.0.7'],
      ],
      ['datastore migrate lock', ['ClusterInformation(default) would be changed', 'Would have locked the datastore.']],
      ['datastore migrate unlock', ['Would have unlocked the datastore.']],
      ['datastore migrate-policy-names', ['Would have migrated the names of 0 policies.']],
    ];
    for (const [line, lines] of told) {
      const outcome = await calicoctl(`${line} --dry-run`);
      expect([line, outcome]).toEqual([line, { status: 0, stderr: '', stdout: `${lines.join('\n')}\n` }]);
    }
    expect(await revision()).toBe(before);
  });
});
