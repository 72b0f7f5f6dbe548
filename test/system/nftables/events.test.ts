import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { monitorNftables } from '../../../src/netlink/monitor.js';
import { type NftEvent, decodeNftEvent } from '../../../src/nftables/events.js';
import { KernelNftables } from '../../../src/nftables/kernel.js';
import { baseChain, chain, elements, set, table } from '../../../src/nftables/objects.js';
import { rule } from '../../../src/nftables/rule.js';
import { accept } from '../../../src/nftables/statements.js';
import { Transaction } from '../../../src/nftables/transaction.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

const T = table('inet', 'watched');
const X = chain(T, 'x');
const S = set(T, 's', 'ipv4_addr');

describe('nf_tables notifications', () => {
  let namespace: NetworkNamespace;
  let nftables: KernelNftables;
  let monitor: ReturnType<typeof monitorNftables>;
  let seen: NftEvent[];
  let wake: () => void = () => undefined;

  beforeEach(() => {
    namespace = NetworkNamespace.create();
    nftables = KernelNftables.open({ namespace });
    seen = [];
    monitor = monitorNftables({
      namespace,
      listener: (events) => {
        for (const event of events) {
          const decoded = event.kind === 'message' ? decodeNftEvent(event.message) : undefined;
          if (decoded !== undefined) seen.push(decoded);
        }
        wake();
      },
    });
  });
  afterEach(() => {
    monitor.close();
    nftables.close();
    namespace.close();
  });

  /** Everything up to and with the next commit's announcement. */
  async function nextCommit(): Promise<NftEvent[]> {
    while (!seen.some((event) => event.kind === 'commit')) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return seen.splice(0);
  }

  test('a commit of ours is announced under our port, after what it changed', async () => {
    const generation = await new Transaction(nftables)
      .add(T)
      .add(X)
      .add(S)
      .add(elements(S, ['192.0.2.1']))
      .add(rule(X, [accept]))
      .commit();
    const events = await nextCommit();
    expect(events.map((event) => (event.kind === 'commit' ? 'commit' : `${event.kind} ${event.object}`))).toEqual([
      'new table',
      'new chain',
      'new set',
      'new elements',
      'new rule',
      'commit',
    ]);
    expect(events.every(({ portId }) => portId === nftables.portId())).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'commit', generation });
  });

  test('somebody’s flush is told from ours, and by whom', async () => {
    await new Transaction(nftables)
      .add(T)
      .add(baseChain(T, 'f', { type: 'filter', hook: 'forward', priority: 0 }))
      .commit();
    await nextCommit();
    namespace.run(() => execFileSync('nft', ['flush', 'ruleset']));
    const events = await nextCommit();
    const gone = events.filter((event) => event.kind === 'deleted' && event.object === 'table');
    expect(gone).toMatchObject([{ table: { family: 'inet', name: 'watched' }, name: undefined }]);
    expect(events.some(({ portId }) => portId === nftables.portId())).toBe(false);
    expect(events.at(-1)).toMatchObject({ kind: 'commit', processName: 'nft' });
  });

  test('a rule that iptables takes away is told with its table and chain', async () => {
    namespace.run(() => execFileSync('iptables', ['-A', 'FORWARD', '-j', 'ACCEPT']));
    await nextCommit();
    namespace.run(() => execFileSync('iptables', ['-F', 'FORWARD']));
    expect(await nextCommit()).toContainEqual(
      expect.objectContaining({
        kind: 'deleted',
        object: 'rule',
        table: { family: 'ip', name: 'filter' },
        name: 'FORWARD',
      }),
    );
  });
});
