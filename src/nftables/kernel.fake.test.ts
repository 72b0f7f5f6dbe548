import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FakeNftables } from './kernel.fake.js';
import { dport, saddrIn } from './match.js';
import { describeNftables } from './nftables.contract.js';
import { chain, elements, set, table } from './objects.js';
import { rule } from './rule.js';
import { accept } from './statements.js';
import { Transaction } from './transaction.js';

describeNftables('the fake', () => ({ nftables: new FakeNftables(), close: () => undefined }));

describe('FakeNftables.load()', () => {
  test('reads what dump() printed, and what nft printed', () => {
    // What the real nft listed: see test/system/nftables/print.test.ts.
    const text = readFileSync(new URL('../../test/system/nftables/representative.nft', import.meta.url), 'utf8');
    expect(FakeNftables.load(text).dump()).toBe(text);
  });

  test('gives rules the hash they have when built', async () => {
    const T = table('inet', 't');
    const made = rule(chain(T, 'x'), [saddrIn(4, 's'), dport('tcp', [80, '8000-9000']), accept], { comment: 'web' });
    const fake = FakeNftables.load(`table inet t {
	set s {
		type ipv4_addr
		elements = { 192.0.2.1 }
	}

	chain x {
		ip saddr @s tcp dport { 80, 8000-9000 } accept comment "web"
	}
}
`);
    const seen = await fake.readTable(T);
    expect(seen?.chains.get('x')?.rules[0]?.hash).toBe(made.hash);
    await new Transaction(fake).add(elements(set(T, 's', 'ipv4_addr'), ['192.0.2.2'])).commit();
    expect(fake.dump()).toContain('elements = { 192.0.2.1, 192.0.2.2 }');
    expect(fake.commits).toHaveLength(1);
  });

  test('says what it cannot read', () => {
    const text = 'table inet t {\n\tchain x {\n\t\tnumgen random mod 2 0 drop\n\t}\n}\n';
    expect(() => FakeNftables.load(text)).toThrow(
      '"numgen random" is followed by "mod", not a field that is supported',
    );
  });
});
