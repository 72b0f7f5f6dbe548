import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeNftables } from '../nftables/kernel.fake.js';
import { dport } from '../nftables/match.js';
import { type Rule, chain, table } from '../nftables/objects.js';
import { rule } from '../nftables/rule.js';
import { accept } from '../nftables/statements.js';
import { chainEdit, isWorthEditing } from './chain-edit.js';
import { chainDigest } from './wanted-table.js';

const TABLE = table('inet', 'calico');
const CHAIN = chain(TABLE, 'policy');

function rulesFor(ports: readonly number[]): readonly Rule[] {
  return ports.map((port) => rule(CHAIN, [dport('tcp', String(port)), accept]));
}

async function kernelWith(rules: readonly Rule[]): Promise<FakeNftables> {
  const kernel = new FakeNftables();
  await kernel.commit([
    { verb: 'add', object: TABLE },
    { verb: 'add', object: CHAIN },
    ...rules.map((object) => ({ verb: 'add', object }) as const),
  ]);
  return kernel;
}

function changed(before: readonly number[], after: readonly number[]): Parameters<typeof isWorthEditing>[0] {
  const digest = (ports: readonly number[]): string =>
    chainDigest(
      CHAIN,
      rulesFor(ports).map(({ hash }) => hash),
    );
  return { chain: CHAIN, rules: rulesFor(after), digest: digest(after), before: digest(before) };
}

describe('chainEdit()', () => {
  test('turns any rules into any others, and touches none that stay at an end', async () => {
    const ports = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(ports, ports, async (before, after) => {
        fc.pre(after.length > 0);
        const kernel = await kernelWith(rulesFor(before));
        const operations = chainEdit(await kernel.readRules(CHAIN), rulesFor(after));
        if (operations.length > 0) await kernel.commit(operations);
        const seen = await kernel.readRules(CHAIN);
        expect(seen.map(({ hash }) => hash)).toEqual(rulesFor(after).map(({ hash }) => hash));
      }),
      { numRuns: 200 },
    );
  });

  test('replaces one rule of many, puts one in between, takes one away', async () => {
    const kernel = await kernelWith(rulesFor([1, 2, 3, 4]));
    const seen = await kernel.readRules(CHAIN);
    const verbs = (ports: readonly number[]): readonly string[] =>
      chainEdit(seen, rulesFor(ports)).map(({ verb }) => verb);
    expect(verbs([1, 9, 3, 4])).toEqual(['replace']);
    expect(verbs([1, 2, 9, 3, 4])).toEqual(['insert']);
    expect(verbs([1, 2, 3, 4, 9])).toEqual(['add']);
    expect(verbs([1, 3, 4])).toEqual(['delete-rule']);
  });
});

describe('isWorthEditing()', () => {
  test('holds when most rules stay, not when most change or there are few', () => {
    expect(isWorthEditing(changed([1, 2, 3, 4, 5], [1, 2, 9, 4, 5]))).toBe(true);
    expect(isWorthEditing(changed([1, 2, 3, 4, 5], [1, 7, 8, 9, 5]))).toBe(false);
    expect(isWorthEditing(changed([1, 2], [1, 3]))).toBe(false);
  });
});
