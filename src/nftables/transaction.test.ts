import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { FakeNftables } from './kernel.fake.js';
import { saddrIn } from './match.js';
import { baseChain, chain, counter, elements, set, table, verdictMap } from './objects.js';
import { rule } from './rule.js';
import { drop } from './statements.js';
import { Transaction } from './transaction.js';
import { DROP } from './verdict.js';

const T = table('inet', 'calico', { comment: 'ours' });
const X = chain(T, 'x');
const S = set(T, 's', 'ipv4_addr', { size: 7, comment: 'some' });

describe('Transaction', () => {
  test('prints itself as nft would read it', () => {
    const dispatch = verdictMap(T, 'dispatch', 'ifname');
    const transaction = new Transaction(new FakeNftables())
      .add(T)
      .add(baseChain(T, 'in', { type: 'filter', hook: 'input', priority: -10, policy: 'drop' }))
      .create(S)
      .add(dispatch)
      .add(counter(T, 'hits'))
      .add(elements(dispatch, [{ key: 'cali1', verdict: DROP }]))
      .insert(rule(X, [saddrIn(4, 's'), drop], { comment: 'np shop/web ingress 3' }))
      .add(rule(X, [drop]), { handle: 4 })
      .replace(rule(X, [drop]), 5)
      .deleteRule(X, 6)
      .flush(X)
      .flush(S)
      .delete(elements(S, ['192.0.2.1', '192.0.2.2']))
      .delete(S)
      .delete(T);
    expect(transaction.print()).toBe(
      [
        'add table inet calico { comment "ours"; }',
        'add chain inet calico in { type filter hook input priority filter - 10; policy drop; }',
        'create set inet calico s { type ipv4_addr; size 7; comment "some"; }',
        'add map inet calico dispatch { type ifname : verdict; }',
        'add counter inet calico hits { packets 0 bytes 0; }',
        'add element inet calico dispatch { "cali1" : drop }',
        'insert rule inet calico x ip saddr @s drop comment "np shop/web ingress 3"',
        'add rule inet calico x handle 4 drop',
        'replace rule inet calico x handle 5 drop',
        'delete rule inet calico x handle 6',
        'flush chain inet calico x',
        'flush set inet calico s',
        'delete element inet calico s { 192.0.2.1, 192.0.2.2 }',
        'delete set inet calico s',
        'delete table inet calico',
        '',
      ].join('\n'),
    );
  });

  test('does not print a hundred thousand members', () => {
    const members = Array.from({ length: 3000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const printed = new Transaction(new FakeNftables()).add(elements(S, members)).print();
    expect(printed).toContain('and 2000 more }');
  });

  test.each([
    ['an empty name', () => chain(T, ''), 'is no name'],
    ['a name too long', () => chain(T, 'x'.repeat(256)), 'longer than 255 bytes'],
    ['a comment too long', () => chain(T, 'x', { comment: 'x'.repeat(129) }), 'longer than 128 bytes'],
    ['a comment nft cannot print', () => set(T, 's', 'mark', { comment: 'say "x"' }), 'nft cannot print'],
    ['a set without key', () => set(T, 's', []), 'no key type'],
    ['no members', () => elements(S, []), 'no members'],
    [
      'a hook the type does not have',
      () => baseChain(T, 'x', { type: 'nat', hook: 'forward', priority: 0 }),
      'type nat has no hook forward',
    ],
    [
      'NAT before connection tracking',
      () => baseChain(T, 'x', { type: 'nat', hook: 'prerouting', priority: -300 }),
      'above -200',
    ],
    [
      'ingress without device',
      () => baseChain(T, 'x', { type: 'filter', hook: 'ingress', priority: 0 }),
      'needs a device',
    ],
  ])('refuses %s before anything is sent', (_, make, why) => {
    const transaction = new Transaction(new FakeNftables());
    expect(() => transaction.add(make())).toThrow(CalicoError);
    expect(() => transaction.add(make())).toThrow(why);
    expect(transaction.isEmpty).toBe(true);
  });

  test('refuses a handle that is none', () => {
    const transaction = new Transaction(new FakeNftables());
    expect(() => transaction.deleteRule(X, 0)).toThrow('0 is no handle');
    expect(() => transaction.add(rule(X, [drop]), { handle: -1 })).toThrow('-1 is no handle');
  });

  test('commits nothing when it is empty', async () => {
    const fake = new FakeNftables();
    expect(await new Transaction(fake).commit()).toBe(await fake.generation());
    expect(fake.commits).toEqual([]);
  });
});

describe('FakeNftables', () => {
  test('dumps the whole ruleset as text', async () => {
    const fake = new FakeNftables();
    const members = elements(S, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    await new Transaction(fake)
      .add(T)
      .add(X)
      .add(S)
      .add(members)
      .add(rule(X, [saddrIn(4, 's'), drop]))
      .commit();
    expect(fake.dump()).toBe(`table inet calico {
	comment "ours"
	set s {
		type ipv4_addr
		size 7
		comment "some"
		elements = { 192.0.2.1, 192.0.2.2,
			     192.0.2.3 }
	}

	chain x {
		ip saddr @s drop
	}
}
`);
    expect(fake.commits).toHaveLength(1);
  });

  test('fails on demand, applying nothing', async () => {
    const fake = new FakeNftables();
    fake.failure = new Error('on demand');
    await expect(new Transaction(fake).add(T).commit()).rejects.toThrow('on demand');
    expect(fake.dump()).toBe('');
  });
});
