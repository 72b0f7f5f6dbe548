import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConflictError } from '../base/errors.js';
import {
  A,
  B,
  C,
  DISPATCH,
  FORWARD,
  HITS,
  HOSTS,
  type NftablesUnderTest,
  POSTROUTING,
  Subject,
  T,
} from './subject.contract.js';
import { INPUT_INTERFACE, sourceAddress } from './fields.js';
import { ctState, dport, iifname, isIn, isOneOf, markHas, reversePathFails, saddr, saddrIn } from './match.js';
import type { Nftables, SeenTable } from './nftables.js';
import { baseChain, chain, elements, table } from './objects.js';
import { rule } from './rule.js';
import { describeSets } from './sets.contract.js';
import {
  accept,
  countIn,
  dnatTo,
  drop,
  goTo,
  jump,
  masquerade,
  notrack,
  reject,
  setMarkBits,
  verdictFrom,
} from './statements.js';
import type { Transaction } from './transaction.js';
import { gotoChain, jumpTo } from './verdict.js';

/** What the kernel promises and the fake has to keep. Each refusal here was seen on a kernel. */
export function describeNftables(name: string, open: () => NftablesUnderTest): void {
  describe(name, () => {
    let underTest: NftablesUnderTest;
    let subject: Subject;
    let nftables: Nftables;
    const change = (): Transaction => subject.change();
    const read = (): Promise<SeenTable> => subject.read();
    const refused: Subject['refused'] = (...what) => subject.refused(...what);
    const text = (): Promise<string> => subject.text();

    beforeEach(async () => {
      underTest = open();
      nftables = underTest.nftables;
      subject = new Subject(nftables);
      await change().add(T).delete(T).add(T).commit();
    });
    afterEach(() => underTest.close());

    describeSets(() => subject);

    describe('tables', () => {
      test('a table is listed with its comment and gone after delete', async () => {
        const other = table('ip', 'contract-other', { comment: 'a comment' });
        await change().add(other).commit();
        expect(await nftables.listTables()).toContainEqual(other);
        await change().delete(other).commit();
        expect(await nftables.readTable(other)).toBeUndefined();
      });

      test('adding one that is there changes nothing, creating it fails', async () => {
        await change().add(A).commit();
        await change().add(T).commit();
        expect(await text()).toContain('chain a');
        await refused(change().create(T), 'EEXIST', 'create table inet contract');
      });

      test('an absent one cannot be deleted or flushed', async () => {
        const absent = table('inet', 'contract-absent');
        await refused(change().delete(absent), 'ENOENT', 'delete table inet contract-absent');
        await refused(change().flush(absent), 'ENOENT', 'flush table inet contract-absent');
      });

      test('flushing one takes the rules and leaves the rest', async () => {
        await change()
          .add(A)
          .add(HOSTS)
          .add(elements(HOSTS, ['192.0.2.1']))
          .add(rule(A, [accept]))
          .commit();
        await change().flush(T).commit();
        const seen = await read();
        expect(seen.chains.get('a')?.rules).toEqual([]);
        expect(seen.sets.get('hosts')?.elements).toEqual([{ key: '192.0.2.1' }]);
      });
    });

    describe('generations', () => {
      test('a commit raises the generation, a read does not', async () => {
        const before = await nftables.generation();
        const after = await change().add(A).commit();
        expect(after).toBeGreaterThan(before);
        expect((await read()).generation).toBe(after);
      });

      test('a commit bound to an old generation conflicts and does nothing', async () => {
        const { generation } = await read();
        await change().add(A).commit({ generation });
        await expect(change().add(B).commit({ generation })).rejects.toThrow(ConflictError);
        expect([...(await read()).chains.keys()]).toEqual(['a']);
      });

      test('a commit given up before it is sent does nothing', async () => {
        await expect(change().add(A).commit({ signal: AbortSignal.abort() })).rejects.toThrow('aborted');
        expect((await read()).chains.size).toBe(0);
      });
    });

    describe('chains', () => {
      test('base and regular chains come back as they were made', async () => {
        const commented = chain(T, 'x', { comment: 'for x' });
        await change().add(FORWARD).add(POSTROUTING).add(commented).commit();
        const seen = await read();
        expect(seen.chains.get('forward')?.chain).toEqual({ ...FORWARD, table: { family: 'inet', name: 'contract' } });
        expect(seen.chains.get('x')?.chain).toMatchObject({ name: 'x', comment: 'for x' });
        expect(seen.chains.get('x')?.chain.base).toBeUndefined();
      });

      test('one cannot be made in an absent table', async () => {
        const lost = chain(table('inet', 'contract-absent'), 'lost');
        await refused(change().add(lost), 'ENOENT', 'add chain inet contract-absent lost');
      });

      test('adding one that is there is fine, creating it fails', async () => {
        await change().add(A).commit();
        await change().add(A).commit();
        await refused(change().create(A), 'EEXIST', 'create chain inet contract a');
      });

      test('its policy can be changed, its hook cannot', async () => {
        await change().add(FORWARD).commit();
        const dropping = baseChain(T, 'forward', { type: 'filter', hook: 'forward', priority: 0, policy: 'drop' });
        await change().add(dropping).commit();
        expect((await read()).chains.get('forward')?.chain.base?.policy).toBe('drop');
        const moved = baseChain(T, 'forward', { type: 'filter', hook: 'input', priority: 0 });
        const said = 'add chain inet contract forward { type filter hook input priority filter; policy accept; }';
        await refused(change().add(moved), 'EOPNOTSUPP', said);
      });

      test('one with rules can be deleted, one that is jumped to cannot', async () => {
        await change()
          .add(A)
          .add(B)
          .add(rule(A, [jump('b')]))
          .commit();
        await refused(change().delete(B), 'EBUSY', 'delete chain inet contract b');
        await change().delete(A).delete(B).commit();
        expect((await read()).chains.size).toBe(0);
      });

      test('one that a map goes to cannot be deleted until the element is', async () => {
        const members = elements(DISPATCH, [{ key: 'cali1', verdict: gotoChain('a') }]);
        await change().add(A).add(DISPATCH).add(members).commit();
        await refused(change().delete(A), 'EBUSY', 'delete chain inet contract a');
        await change().delete(members).delete(A).commit();
        expect((await read()).chains.size).toBe(0);
      });

      test('one that is absent cannot be deleted or flushed', async () => {
        await refused(change().delete(A), 'ENOENT', 'delete chain inet contract a');
        await refused(change().flush(A), 'ENOENT', 'flush chain inet contract a');
      });

      test('jumps that come back to their chain are refused', async () => {
        await change()
          .add(FORWARD)
          .add(A)
          .add(B)
          .add(rule(FORWARD, [jump('a')]))
          .add(rule(A, [jump('b')]))
          .commit();
        await refused(change().add(rule(B, [jump('a')])), 'EMLINK', 'add rule inet contract b jump a');
      });

      test('a loop through a verdict map is refused', async () => {
        await change()
          .add(FORWARD)
          .add(A)
          .add(DISPATCH)
          .add(rule(FORWARD, [jump('a')]))
          .commit();
        await change()
          .add(rule(A, [verdictFrom(INPUT_INTERFACE, 'dispatch')]))
          .commit();
        const looping = elements(DISPATCH, [{ key: 'cali1', verdict: jumpTo('a') }]);
        await refused(change().add(looping), 'EMLINK', 'add element inet contract dispatch { "cali1" : jump a }');
      });

      test('a base chain cannot be jumped to', async () => {
        await change().add(FORWARD).add(A).commit();
        await refused(change().add(rule(A, [jump('forward')])), 'EOPNOTSUPP', 'add rule inet contract a jump forward');
      });
    });

    describe('rules', () => {
      test('come back in order with comment, hash and expressions', async () => {
        const first = rule(A, [saddr(4, '192.0.2.0/24'), dport('tcp', ['80', '8000-9000']), accept], {
          comment: 'web',
        });
        const second = rule(A, [ctState(['established', 'related']), accept]);
        await change().add(A).add(first).add(second).commit();
        const rules = (await read()).chains.get('a')?.rules ?? [];
        expect(rules.map(({ comment, hash }) => [comment, hash])).toEqual([
          ['web', first.hash],
          [undefined, second.hash],
        ]);
        expect(await text()).toContain('ip saddr 192.0.2.0/24 tcp dport { 80, 8000-9000 } accept comment "web"\n');
      });

      test('insert goes first, beside a handle goes next to it, replace keeps the place', async () => {
        const marked = (bit: number): ReturnType<typeof rule> => rule(A, [markHas(bit), accept], { comment: `${bit}` });
        const comments = async (): Promise<unknown> =>
          (await read()).chains.get('a')?.rules.map(({ comment }) => comment);
        const handleOf = async (comment: string): Promise<number> =>
          (await read()).chains.get('a')?.rules.find((seen) => seen.comment === comment)?.handle ?? 0;
        await change().add(A).add(marked(1)).insert(marked(2)).commit();
        expect(await comments()).toEqual(['2', '1']);
        await change()
          .add(marked(4), { handle: await handleOf('2') })
          .commit();
        await change()
          .insert(marked(8), { handle: await handleOf('1') })
          .commit();
        expect(await comments()).toEqual(['2', '4', '8', '1']);
        await change()
          .replace(marked(16), await handleOf('4'))
          .commit();
        expect(await comments()).toEqual(['2', '16', '8', '1']);
        await change()
          .deleteRule(A, await handleOf('8'))
          .commit();
        expect(await comments()).toEqual(['2', '16', '1']);
      });

      test('those of one chain are read by themselves, in order', async () => {
        await change().add(A).add(B).commit();
        const rules = ['80', '81', '82'].map((port) => rule(A, [dport('tcp', port), accept]));
        await change()
          .add(rule(B, [drop]))
          .add(rules[0] ?? rule(A, []))
          .add(rules[1] ?? rule(A, []))
          .add(rules[2] ?? rule(A, []))
          .commit();
        const seen = await nftables.readRules(A);
        expect(seen.map(({ hash }) => hash)).toEqual(rules.map(({ hash }) => hash));
        expect(seen.map(({ handle }) => handle)).toEqual((await read()).chains.get('a')?.rules.map((r) => r.handle));
        expect(await nftables.readRules(C)).toEqual([]);
      });

      test('one needs its chain, its set, its target and its counter', async () => {
        await change().add(A).commit();
        await refused(change().add(rule(B, [drop])), 'ENOENT', 'add rule inet contract b drop');
        await refused(
          change().add(rule(A, [saddrIn(4, 'hosts'), drop])),
          'ENOENT',
          'add rule inet contract a ip saddr @hosts drop',
        );
        await refused(change().add(rule(A, [goTo('b')])), 'ENOENT', 'add rule inet contract a goto b');
        await refused(
          change().add(rule(A, [countIn('hits')])),
          'ENOENT',
          'add rule inet contract a counter name "hits"',
        );
      });

      test('what was made earlier in the same transaction can be used', async () => {
        await change()
          .add(A)
          .add(B)
          .add(HOSTS)
          .add(HITS)
          .add(rule(A, [saddrIn(4, 'hosts'), countIn('hits'), jump('b')]))
          .commit();
        expect((await read()).chains.get('a')?.rules).toHaveLength(1);
      });

      test('an absent one cannot be deleted or replaced', async () => {
        await change().add(A).commit();
        await refused(change().deleteRule(A, 4711), 'ENOENT', 'delete rule inet contract a handle 4711');
        await refused(
          change().replace(rule(A, [drop]), 4711),
          'ENOENT',
          'replace rule inet contract a handle 4711 drop',
        );
      });

      test('masquerade belongs in nat chains', async () => {
        await change().add(FORWARD).add(POSTROUTING).commit();
        const wrong = rule(FORWARD, [masquerade()]);
        await refused(change().add(wrong), 'EOPNOTSUPP', 'add rule inet contract forward masquerade');
        await change()
          .add(rule(POSTROUTING, [masquerade()]))
          .commit();
        expect(await text()).toContain('masquerade');
      });

      test('what a hook does not allow is refused also where a jump leads', async () => {
        await change()
          .add(FORWARD)
          .add(A)
          .add(rule(A, [masquerade()]))
          .commit();
        const leading = change().add(rule(FORWARD, [jump('a')]));
        await refused(leading, 'EOPNOTSUPP', 'add rule inet contract forward jump a');
      });

      test('destination NAT is for prerouting, reverse path checks for what comes in, reject not for postrouting', async () => {
        const late = baseChain(T, 'late', { type: 'filter', hook: 'postrouting', priority: 0 });
        await change().add(POSTROUTING).add(late).commit();
        const nat = change().add(rule(POSTROUTING, [dnatTo('192.0.2.1')]));
        await refused(nat, 'EOPNOTSUPP', 'add rule inet contract postrouting meta nfproto ipv4 dnat ip to 192.0.2.1');
        const path = change().add(rule(late, [reversePathFails(), drop]));
        await refused(path, 'EOPNOTSUPP', 'add rule inet contract late fib saddr . mark . iif oif 0 drop');
        await refused(change().add(rule(late, [reject])), 'EOPNOTSUPP', 'add rule inet contract late reject');
      });

      test('a plain set gives no verdicts, a map is also the set of its keys', async () => {
        await change().add(A).add(HOSTS).add(DISPATCH).commit();
        const verdictOfSet = rule(A, [verdictFrom(sourceAddress(4), 'hosts')]);
        await refused(change().add(verdictOfSet), 'EINVAL', 'add rule inet contract a ip saddr vmap @hosts');
        await change()
          .add(rule(A, [isIn(INPUT_INTERFACE, 'dispatch'), drop]))
          .commit();
        expect(await text()).toContain('iifname @dispatch drop');
      });

      test('anonymous sets come and go with their rules', async () => {
        const many = isOneOf(sourceAddress(4), ['192.0.2.0/24', '198.51.100.7'], { not: true });
        await change()
          .add(A)
          .add(rule(A, [many, reject]))
          .commit();
        expect(await text()).toContain('ip saddr != { 192.0.2.0/24, 198.51.100.7 } reject');
        expect((await read()).sets.size).toBe(0);
        await change().flush(A).commit();
        expect((await read()).chains.get('a')?.rules).toEqual([]);
      });
    });

    describe('counters', () => {
      test('are made, read and deleted when unused', async () => {
        await change()
          .add(A)
          .add(HITS)
          .add(rule(A, [iifname('cali*'), countIn('hits'), setMarkBits(1)]))
          .commit();
        expect((await read()).counters.get('hits')).toMatchObject({ packets: 0n, bytes: 0n });
        await refused(change().delete(HITS), 'EBUSY', 'delete counter inet contract hits');
        await change().flush(A).delete(HITS).commit();
        expect((await read()).counters.size).toBe(0);
      });

      test('an absent one cannot be deleted, a present one not created', async () => {
        await refused(change().delete(HITS), 'ENOENT', 'delete counter inet contract hits');
        await change().add(HITS).commit();
        await change().add(HITS).commit();
        await refused(change().create(HITS), 'EEXIST', 'create counter inet contract hits { packets 0 bytes 0; }');
      });
    });

    describe('transactions', () => {
      test('all is applied or nothing', async () => {
        await refused(change().add(A).add(HOSTS).delete(B), 'ENOENT', 'delete chain inet contract b');
        expect((await read()).chains.size).toBe(0);
      });

      test('a table can be made, filled and replaced by itself at once', async () => {
        await change()
          .add(A)
          .add(rule(A, [notrack]))
          .commit();
        await change().delete(T).add(T).add(B).commit();
        expect(await text()).toBe('table inet contract {\n\tchain b {\n\t}\n}\n');
      });

      test('many members go in one', async () => {
        const members = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
        await change().add(HOSTS).add(elements(HOSTS, members)).add(C).commit();
        const seen = await read();
        expect(seen.sets.get('hosts')?.elements).toHaveLength(20_000);
        expect(seen.chains.has('c')).toBe(true);
        await change().delete(elements(HOSTS, members)).commit();
        expect((await read()).sets.get('hosts')?.elements).toEqual([]);
      });
    });
  });
}
