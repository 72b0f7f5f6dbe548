import { describe, expect, test } from 'vitest';
import { A, DISPATCH, HOSTS, NAMED, NETS, PORTS, type Subject, T } from './subject.contract.js';
import { saddrIn } from './match.js';
import type { SeenTable } from './nftables.js';
import { elements, set } from './objects.js';
import { rule } from './rule.js';
import { drop } from './statements.js';
import type { Transaction } from './transaction.js';
import { DROP, gotoChain } from './verdict.js';

/** The part of the contract that is about sets, maps and their members. */
export function describeSets(subject: () => Subject): void {
  const change = (): Transaction => subject().change();
  const read = (): Promise<SeenTable> => subject().read();
  const refused: Subject['refused'] = (...what) => subject().refused(...what);

  describe('sets', () => {
    test('come back with type, flags, size and comment', async () => {
      const sized = set(T, 'sized', 'ether_addr', { size: 7, comment: 'some' });
      await change().add(HOSTS).add(NETS).add(PORTS).add(DISPATCH).add(sized).commit();
      const { sets } = await read();
      const bare = { family: 'inet', name: 'contract' };
      for (const made of [HOSTS, NETS, PORTS, DISPATCH, sized]) {
        expect(sets.get(made.name)?.set).toEqual({ ...made, table: bare });
      }
    });

    test('one in use cannot be deleted', async () => {
      await change()
        .add(A)
        .add(HOSTS)
        .add(rule(A, [saddrIn(4, 'hosts'), drop]))
        .commit();
      await refused(change().delete(HOSTS), 'EBUSY', 'delete set inet contract hosts');
      await change().flush(A).delete(HOSTS).commit();
      expect((await read()).sets.size).toBe(0);
    });

    test('an absent one cannot be deleted, filled or flushed', async () => {
      await refused(change().delete(HOSTS), 'ENOENT', 'delete set inet contract hosts');
      await refused(change().flush(HOSTS), 'ENOENT', 'flush set inet contract hosts');
      await refused(
        change().add(elements(HOSTS, ['192.0.2.1'])),
        'ENOENT',
        'add element inet contract hosts { 192.0.2.1 }',
      );
    });

    test('adding one that is there is fine unless it differs, creating it fails', async () => {
      await change().add(HOSTS).commit();
      await change().add(HOSTS).commit();
      await refused(change().create(HOSTS), 'EEXIST', 'create set inet contract hosts { type ipv4_addr; }');
      const other = set(T, 'hosts', 'ipv6_addr');
      await refused(change().add(other), 'EEXIST', 'add set inet contract hosts { type ipv6_addr; }');
    });

    test('a full one takes no more', async () => {
      const two = set(T, 'two', 'ipv4_addr', { size: 2 });
      await change()
        .add(two)
        .add(elements(two, ['192.0.2.1', '192.0.2.2']))
        .commit();
      await refused(
        change().add(elements(two, ['192.0.2.3'])),
        'ENFILE',
        'add element inet contract two { 192.0.2.3 }',
      );
    });
  });

  describe('elements', () => {
    test('adding one that is there is fine, creating it fails, naming it among many', async () => {
      await change()
        .add(HOSTS)
        .add(elements(HOSTS, ['192.0.2.1']))
        .commit();
      await change()
        .add(elements(HOSTS, ['192.0.2.1', '192.0.2.2']))
        .commit();
      expect((await read()).sets.get('hosts')?.elements).toHaveLength(2);
      await refused(
        change().create(elements(HOSTS, ['192.0.2.7', '192.0.2.2'])),
        'EEXIST',
        'create element inet contract hosts { 192.0.2.2 }',
      );
    });

    test('deleting an absent one fails, naming it among many', async () => {
      await change()
        .add(HOSTS)
        .add(elements(HOSTS, ['192.0.2.1']))
        .commit();
      await refused(
        change().delete(elements(HOSTS, ['192.0.2.1', '192.0.2.9'])),
        'ENOENT',
        'delete element inet contract hosts { 192.0.2.9 }',
      );
    });

    test('one of a map cannot be added with another verdict', async () => {
      await change()
        .add(DISPATCH)
        .add(elements(DISPATCH, [{ key: 'cali1', verdict: DROP }]))
        .commit();
      await refused(
        change().add(elements(DISPATCH, [{ key: 'cali1', verdict: { code: 'accept' } }])),
        'EEXIST',
        'add element inet contract dispatch { "cali1" : accept }',
      );
    });

    test('one can be deleted and added with another verdict in one transaction', async () => {
      await change()
        .add(DISPATCH)
        .add(elements(DISPATCH, [{ key: 'cali1', verdict: DROP }]))
        .commit();
      await change()
        .delete(elements(DISPATCH, ['cali1']))
        .add(elements(DISPATCH, [{ key: 'cali1', verdict: { code: 'accept' } }]))
        .commit();
      expect((await read()).sets.get('dispatch')?.elements).toEqual([{ key: 'cali1', verdict: { code: 'accept' } }]);
    });

    test('a verdict needs its chain', async () => {
      await change().add(DISPATCH).commit();
      await refused(
        change().add(elements(DISPATCH, [{ key: 'cali1', verdict: gotoChain('a') }])),
        'ENOENT',
        'add element inet contract dispatch { "cali1" : goto a }',
      );
    });

    test('a map wants verdicts, a set wants none', async () => {
      await change().add(DISPATCH).add(HOSTS).commit();
      await refused(
        change().add(elements(DISPATCH, ['cali1'])),
        'EINVAL',
        'add element inet contract dispatch { "cali1" }',
      );
      await refused(
        change().add(elements(HOSTS, [{ key: '192.0.2.1', verdict: DROP }])),
        'EINVAL',
        'add element inet contract hosts { 192.0.2.1 : drop }',
      );
    });

    test('the catch-all, comments and timeouts come back', async () => {
      const dying = set(T, 'dying', 'ipv4_addr', { timeoutMs: 3_600_000 });
      await change()
        .add(DISPATCH)
        .add(elements(DISPATCH, [{ key: '*', verdict: DROP }]))
        .add(dying)
        .add(elements(dying, [{ key: '192.0.2.1', timeoutMs: 60_000, comment: 'short' }]))
        .commit();
      const { sets } = await read();
      expect(sets.get('dispatch')?.elements).toEqual([{ key: '*', verdict: DROP }]);
      expect(sets.get('dying')?.elements).toEqual([{ key: '192.0.2.1', timeoutMs: 60_000, comment: 'short' }]);
    });

    test('flushing a set takes them all', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['192.0.2.0/24', '10.0.0.0/8']))
        .commit();
      await change().flush(NETS).commit();
      expect((await read()).sets.get('nets')?.elements).toEqual([]);
    });

    test('a set can be flushed and filled anew in one transaction', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['192.0.2.0/24', '10.0.0.0/8']))
        .commit();
      await change()
        .flush(NETS)
        .add(elements(NETS, ['10.0.0.0/9', '0.0.0.0/8']))
        .commit();
      expect((await read()).sets.get('nets')?.elements).toEqual([{ key: '0.0.0.0/8' }, { key: '10.0.0.0/9' }]);
    });
  });

  describe('intervals', () => {
    const keys = (name: string): Promise<unknown> => subject().keys(name);

    test('come back ascending: prefixes, ranges, single addresses, up to the last address', async () => {
      const members = ['192.0.2.7', '255.255.255.0/24', '10.0.0.0/8', '198.51.100.1-198.51.100.9', '0.0.0.0/8'];
      await change().add(NETS).add(elements(NETS, members)).commit();
      expect(await keys('nets')).toEqual([
        '0.0.0.0/8',
        '10.0.0.0/8',
        '192.0.2.7',
        '198.51.100.1-198.51.100.9',
        '255.255.255.0/24',
      ]);
    });

    test('adjacent ones are two', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/24']))
        .commit();
      expect(await keys('nets')).toEqual(['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/24']);
      await change()
        .delete(elements(NETS, ['10.0.0.128/25']))
        .commit();
      expect(await keys('nets')).toEqual(['10.0.0.0/25', '10.0.1.0/24']);
    });

    test('the whole of the addresses is one', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['0.0.0.0/0']))
        .commit();
      expect(await keys('nets')).toEqual(['0.0.0.0/0']);
    });

    test('the same again is fine, an overlapping one is refused', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['10.0.0.0/16', '192.0.2.0/24']))
        .commit();
      await change()
        .add(elements(NETS, ['10.0.0.0/16']))
        .commit();
      for (const overlapping of ['10.0.0.0/8', '10.0.1.0/24', '192.0.1.0-192.0.2.7', '192.0.2.7-192.0.3.1']) {
        await refused(
          change().add(elements(NETS, [overlapping])),
          'EEXIST',
          `add element inet contract nets { ${overlapping} }`,
        );
      }
    });

    test('a part of one cannot be deleted', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['10.0.0.0/16']))
        .commit();
      await refused(
        change().delete(elements(NETS, ['10.0.0.0/24'])),
        'ENOENT',
        'delete element inet contract nets { 10.0.0.0/24 }',
      );
    });

    test('one can give way to a wider one in one transaction', async () => {
      await change()
        .add(NETS)
        .add(elements(NETS, ['10.0.0.0/24', '10.0.2.0/24']))
        .commit();
      await change()
        .delete(elements(NETS, ['10.0.0.0/24', '10.0.2.0/24']))
        .add(elements(NETS, ['10.0.0.0/16']))
        .commit();
      expect(await keys('nets')).toEqual(['10.0.0.0/16']);
    });

    test('concatenations hold ranges in each field and refuse overlaps', async () => {
      const member = '10.0.0.0/8 . tcp . 80-90';
      await change()
        .add(PORTS)
        .add(elements(PORTS, [member, '192.0.2.7 . udp . 53']))
        .commit();
      expect(await keys('ports')).toEqual(expect.arrayContaining([member, '192.0.2.7 . udp . 53']));
      await refused(
        change().add(elements(PORTS, ['10.1.0.0/16 . tcp . 85'])),
        'EEXIST',
        'add element inet contract ports { 10.1.0.0/16 . tcp . 85 }',
      );
      await change()
        .delete(elements(PORTS, [member]))
        .commit();
      expect(await keys('ports')).toEqual(['192.0.2.7 . udp . 53']);
    });

    test('concatenations of exact values come back as text', async () => {
      await change()
        .add(NAMED)
        .add(elements(NAMED, ['192.0.2.7 . tcp . 8080']))
        .commit();
      expect(await keys('named')).toEqual(['192.0.2.7 . tcp . 8080']);
    });
  });
}
