import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../base/errors.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake } from '../calicoctl.fake.js';

const yaml = (kind: string, name: string, spec: object = {}, more: object = {}) =>
  `${JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, labels: { app: 'web' }, ...more }, spec })}\n---\n`;
const tier = (name: string) => yaml('Tier', name, { order: 5 });
const policy = (name: string, inTier: string) => yaml('GlobalNetworkPolicy', name, { tier: inTier });
const local = (name: string, namespace: string) => yaml('NetworkPolicy', name, {}, { namespace });

async function setUp() {
  const calicoctl = new CalicoctlFake();
  const apply = (text: string, ...words: string[]) => calicoctl.run(['apply', '-f', '-', ...words], text);
  await apply(
    tier('old') + tier('new') + policy('a', 'old') + policy('b', 'new') + local('x', 'shop') + local('y', 'other'),
  );
  await apply(yaml('Tier', 'others', { order: 6 }, { labels: { app: 'db' } }));
  return { calicoctl, apply };
}

describe('calicoctl apply --prune', () => {
  test('deletes what the selector matches and no file describes, of the same kinds and namespaces', async () => {
    const { calicoctl, apply } = await setUp();
    expect(await apply(tier('new') + policy('c', 'new') + local('z', 'shop'), '--prune', '-l', "app == 'web'")).toEqual(
      {
        status: 0,
        stderr: '',
        stdout: [
          'Successfully applied 3 resource(s)',
          'Pruned NetworkPolicy(shop/x)',
          'Pruned GlobalNetworkPolicy(a)',
          'Pruned GlobalNetworkPolicy(b)',
          'Pruned Tier(old)',
          'Successfully pruned 4 resource(s)',
          '',
        ].join('\n'),
      },
    );
    expect((await calicoctl.run(['get', 'networkpolicy', '-A', '-o', 'custom-columns=NAME'])).stdout).toBe(
      'NAMESPACE   NAME\nother       y\nshop        z\n\n',
    );
    expect((await calicoctl.run(['get', 'tier', 'others'])).status).toBe(0);
  });

  test('spares what every cluster has', async () => {
    const { apply } = await setUp();
    expect((await apply(tier('new') + tier('old') + tier('others'), '--prune', '-l', 'all()')).stdout).toContain(
      'Successfully pruned 0 resource(s)',
    );
  });

  test('says what it would delete in a dry run', async () => {
    const { calicoctl, apply } = await setUp();
    const { stdout } = await apply(policy('b', 'new'), '--prune', '-l', 'has(app)', '--dry-run');
    expect(stdout.split('\n')).toEqual([
      'GlobalNetworkPolicy(b) would stay as it is',
      'GlobalNetworkPolicy(a) would be deleted',
      "Would have applied 1 'GlobalNetworkPolicy' resource(s)",
      "Would have pruned 1 'GlobalNetworkPolicy' resource(s)",
      '',
    ]);
    expect((await calicoctl.run(['get', 'gnp', 'a'])).status).toBe(0);
  });

  test('ends with Ctrl-C, and when the datastore is gone', async () => {
    const enough = new AbortController();
    const lost = new UnavailableError('ERR', 'etcd at http://192.0.2.1:2379: connection lost');
    const store = new MemoryDatastore();
    const calicoctl = new CalicoctlFake(store);
    const words = ['apply', '-f', '-'];
    await calicoctl.run(words, tier('a') + tier('b') + tier('c') + tier('d') + tier('e'));
    const remove = store.delete.bind(store);
    store.delete = (...what) => {
      enough.abort();
      return remove(...what);
    };
    const pruning = [...words, '--prune', '-l', 'all()'];
    const first = await calicoctl.run(pruning, tier('a'), { signal: enough.signal });
    expect(first).toMatchObject({ status: 130, stderr: 'interrupted\n' });
    expect(first.stdout).toContain("Pruned Tier(b)\nSuccessfully pruned 1 'Tier' resource(s)\n");
    let tries = 0;
    store.delete = () => {
      tries += 1;
      return Promise.reject(lost);
    };
    const second = await calicoctl.run(pruning, tier('a'));
    expect([second.status, tries]).toEqual([1, 1]);
    expect(second.stderr).toMatch(/^failed to prune 'Tier' resource: .*connection lost/);
  });

  test('prunes nothing when not everything was applied', async () => {
    const { calicoctl, apply } = await setUp();
    const { status, stderr } = await apply(policy('b', 'new') + policy('bad', 'none'), '--prune', '-l', 'all()');
    expect([status, stderr.includes('nothing was pruned: not everything was applied')]).toEqual([1, true]);
    expect((await calicoctl.run(['get', 'gnp', 'a'])).status).toBe(0);
  });

  test.each([
    [['--prune'], '--prune needs a selector: it deletes what matches and is in no file'],
    [['--prune', '-l', ' '], '--prune needs a selector'],
    [['-l', 'all()'], '-l goes with --prune only'],
    [['--prune', '-l', 'app ='], 'expected =='],
  ])('refuses %j', async (words, message) => {
    const { apply } = await setUp();
    const { status, stderr } = await apply(tier('new'), ...words);
    expect([status, stderr.includes(message) ? message : stderr]).toEqual([1, message]);
  });
});
