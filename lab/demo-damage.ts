import { setTimeout as wait } from 'node:timers/promises';
import { CalicoError } from '../src/base/errors.js';
import { firstHost } from './demo-network.js';
import type { Scene } from './demo-network.js';
import type { HostProcess } from './host.js';
import { watchRuleset } from './kernel-writes.js';
import type { SeenLine } from './kernel-writes.js';
import { until } from './processes.js';

/** SIGKILL to the whole of calico-node during a flood of pings; then it starts again. */
export async function killNode({ cluster, story }: Scene, node: HostProcess): Promise<HostProcess> {
  story.chapter('calico-node is killed with SIGKILL, during a flood of pings from A to E');
  const host = cluster.lab.host(firstHost);
  const bird = await host.pidsOf('bird');
  const meters = ([4, 6] as const).map((family) =>
    cluster.lab.workload('A').ping(cluster.lab.workload('E'), { family, intervalMs: 2 }),
  );
  await wait(300);
  let restarted = node;
  const writes = await host.countKernelWrites(async () => {
    await node.kill('SIGKILL');
    story.say('  killed; the host goes on by itself');
    await wait(1_000);
    restarted = await cluster.startNode(firstHost);
    await cluster.ready(firstHost);
    story.say('  started again, in sync');
    await wait(500);
  });
  for (const [index, meter] of meters.entries()) {
    const { sent, lost } = await meter.stop();
    story.expect(
      `${sent} pings over IPv${index === 0 ? 4 : 6}, 0 lost`,
      lost === 0 && sent > 200,
      `${lost} lost of ${sent}`,
    );
  }
  const after = await host.pidsOf('bird');
  const same = bird.length === 1 && after.length === 1 && after[0]?.pid === bird[0]?.pid;
  story.expect(
    'BIRD lived on and was adopted: the same process',
    same,
    `before ${JSON.stringify(bird)}, after ${JSON.stringify(after)}`,
  );
  story.expect(
    '0 writes to the kernel, counted from outside',
    writes.count === 0,
    writes.lines.slice(0, 5).join(' | '),
  );
  return restarted;
}

/** On a host of its own, with its private etcd: that lives on, too. */
export async function killLoneNode({ cluster, story }: Scene): Promise<void> {
  story.chapter('The same on a host by itself, which keeps its own etcd');
  const name = 'calico-03';
  const host = cluster.lab.host(name);
  const env = { ETCD_ENDPOINTS: '' };
  await host.exec(['rm', '-f', '/etc/calico/calicoctl.cfg']);
  const first = await cluster.startNode(name, { env });
  await cluster.ready(name);
  const { stdout } = await host.exec(['calicoctl', 'pool', 'show'], { env });
  story.typed(name, 'calicoctl pool show', stdout);
  const before = await Promise.all(['etcd', 'bird'].map((program) => host.pidsOf(program)));
  await first.kill('SIGKILL');
  const second = await cluster.startNode(name, { env });
  await cluster.ready(name);
  const after = await Promise.all(['etcd', 'bird'].map((program) => host.pidsOf(program)));
  story.expect(
    'etcd and BIRD lived on and were adopted',
    before.flat().length === 2 && JSON.stringify(before) === JSON.stringify(after),
  );
  await second.kill('SIGTERM');
}

/** Somebody flushes our table, then iptables. */
export async function flushRules({ cluster, story }: Scene): Promise<void> {
  story.chapter('Somebody flushes our table, and iptables');
  const host = cluster.lab.host(firstHost);
  const [a, b, c] = ['A', 'B', 'C'].map((name) => cluster.lab.workload(name));
  if (a === undefined || b === undefined || c === undefined)
    throw new CalicoError('ERR_CALI_LAB_WORKLOAD', 'the workloads are gone');
  const damages = [
    { what: 'nft flush table inet calico', command: ['nft', 'flush', 'table', 'inet', 'calico'], seen: /inet calico/ },
    {
      what: 'nft delete table inet calico',
      command: ['nft', 'delete', 'table', 'inet', 'calico'],
      seen: /inet calico/,
    },
    { what: 'iptables -F', command: ['iptables', '-F'], seen: /ip filter/ },
  ];
  for (const { what, command, seen } of damages) {
    const watch = await watchRuleset(host.init.pid);
    const opened = b.firstThrough(a, 80, { timeoutMs: 1_200 }).then(
      () => true,
      () => false,
    );
    await host.exec(command);
    const repairMs = await repaired(watch.lines, seen);
    await watch.stop();
    story.typed(firstHost, what, '');
    story.expect(`repaired in ${repairMs.toFixed(1)} ms`, repairMs < 1_000);
    story.expect('nothing opened: B did not reach A at any moment', !(await opened));
    story.expect('nothing closed: A reaches C', await a.can(c, { tcp: 80 }));
  }
}

/** Time from the last line that took something away to the last of the lines that put it back. */
async function repaired(lines: readonly SeenLine[], of: RegExp): Promise<number> {
  const ours = (verb: RegExp): SeenLine[] => lines.filter(({ text }) => verb.test(text) && of.test(text));
  await until('something deleted', () => ours(/^delete/).length > 0, { everyMs: 2 });
  await until('something put back', () => ours(/^(add|insert)/).length > 0, { deadlineMs: 20_000, everyMs: 2 });
  await wait(100);
  return (ours(/^(add|insert)/).at(-1)?.at ?? Number.POSITIVE_INFINITY) - (ours(/^delete/).at(-1)?.at ?? 0);
}
