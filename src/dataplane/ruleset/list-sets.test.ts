import { describe, expect, test } from 'vitest';
import type { TableChange } from '../wanted-table.js';
import { WantedTable } from '../wanted-table.js';
import { type ListSet, ListSets, listSet } from './list-sets.js';
import { CALICO_TABLE } from './names.js';

const WEB = listSet('inet_service', ['80', '443']);
const HIGH = listSet('inet_service', ['8080', '9000-9010']);

function lists(...of: readonly ListSet[]): ReadonlyMap<string, ListSet> {
  return new Map(of.map((list) => [list.set.name, list]));
}

describe('listSet()', () => {
  test('names short lists by what is in them', () => {
    expect(HIGH.set.name).toBe('ports-8080_9000-9010');
    expect(listSet('ipv4_addr', ['192.0.2.0/24', '198.51.100.0/24']).set.name).toBe(
      'nets4-192.0.2.0/24_198.51.100.0/24',
    );
  });

  test('names others by a hash: equal lists alike, and no two alike', () => {
    const ports = Array.from({ length: 20 }, (_, i) => String(8000 + 2 * i));
    expect(listSet('inet_service', ports).set.name).toMatch(/^ports-[0-9a-f]{24}$/);
    expect(listSet('inet_service', [...ports])).toEqual(listSet('inet_service', ports));
    expect(listSet('inet_service', ports.slice(1)).set.name).not.toBe(listSet('inet_service', ports).set.name);
    expect(listSet('ipv6_addr', ['2001:db8:1::/64', '2001:db8::/64']).set.name).toMatch(/^nets6-[0-9a-f]{24}$/);
  });
});

describe('ListSets', () => {
  function tableOf(): { sets: ListSets; names: () => string[]; take: () => TableChange } {
    const table = new WantedTable(CALICO_TABLE);
    const known = { chains: new Map<string, string>(), sets: new Set<string>(), counters: new Set<string>() };
    const take = (): TableChange => {
      const change = table.takeChange(known);
      for (const { set } of change.newSets) known.sets.add(set.name);
      for (const { name } of change.goneSets) known.sets.delete(name);
      return change;
    };
    return { sets: new ListSets(table), names: () => [...table.sets.keys()], take };
  }

  test('keeps a list while any chain uses it', () => {
    const { sets, names } = tableOf();
    sets.chainUses('pi-a', lists(WEB, HIGH));
    sets.chainUses('pi-b', lists(WEB));
    sets.flush();
    expect(names()).toEqual([WEB.set.name, HIGH.set.name]);
    sets.chainUses('pi-a', lists());
    sets.flush();
    expect(names()).toEqual([WEB.set.name]);
    sets.chainUses('pi-b', lists());
    sets.flush();
    expect(names()).toEqual([]);
  });

  test('has all members in the set it puts', () => {
    const { sets, take } = tableOf();
    sets.chainUses('pi-a', lists(HIGH));
    sets.flush();
    const [made] = take().newSets;
    expect(made?.size).toBe(2);
    expect([...(made?.members() ?? [])]).toEqual(['8080', '9000-9010']);
  });

  test('leaves a list alone that one chain gives up and another takes, in either order', () => {
    const { sets, take } = tableOf();
    sets.chainUses('pi-a', lists(WEB));
    sets.flush();
    take();
    sets.chainUses('pi-a', lists());
    sets.chainUses('pi-b', lists(WEB));
    sets.flush();
    sets.chainUses('pi-a', lists(WEB));
    sets.chainUses('pi-b', lists());
    sets.flush();
    const { newSets, goneSets, refilledSets, members } = take();
    expect([newSets, goneSets, refilledSets, members]).toEqual([[], [], [], []]);
  });
});
