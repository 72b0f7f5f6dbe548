import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { end, identify, must, repositoryRoot, until } from '../../../lab/processes.js';
import { birdConfig } from '../../../src/bgp/bird-config.js';
import { BirdProcess } from '../../../src/bgp/bird-process.js';
import type { BgpPlan } from '../../../src/plan/host-plan.js';

/** A network namespace with one uplink, and a BIRD in it whose files are in a folder of the test. */
interface Host {
  readonly number: number;
  readonly namespace: string;
  readonly folder: string;
  readonly bird: BirdProcess;
}

const POOLS = ['192.168.0.0/16', 'fd80:24e2:f998:72d6::/64'];
let folder = '';
let hosts: Host[] = [];
let extra: BirdProcess[] = [];

function birdAt(host: Pick<Host, 'folder' | 'namespace'>, more: { command?: readonly string[] } = {}): BirdProcess {
  const bird = new BirdProcess({
    configFile: `${host.folder}/bird.cfg`,
    socket: `${host.folder}/bird.ctl`,
    pidFile: `${host.folder}/bird.pid`,
    logFile: `${host.folder}/bird.log`,
    command: ['ip', 'netns', 'exec', host.namespace, 'bird'],
    ...more,
  });
  extra.push(bird);
  return bird;
}

function configOf(host: Host, blocks: readonly string[] = [`192.168.${host.number}.0/26`]): string {
  const own = { 4: `192.0.2.${host.number}`, 6: `2001:db8::${host.number}` };
  const peers = hosts.flatMap(({ number }) => {
    if (number === host.number) return [];
    return ([4, 6] as const).map((family) => {
      const address = family === 4 ? `192.0.2.${number}` : `2001:db8::${number}`;
      return {
        name: `Mesh_${address.replace(/[.:]/g, '_')}`,
        address,
        localAsNumber: 64512,
        asNumber: 64512,
        sourceAddress: own[family],
        passive: address > own[family],
        nextHop: 'auto' as const,
      };
    });
  });
  const plan: BgpPlan = {
    routerId: own[4],
    asNumber: 64512,
    ipv4: { address: own[4], subnet: '192.0.2.0/24' },
    ipv6: { address: own[6], subnet: '2001:db8::/64' },
    debug: 'states',
    peers,
    blocks: [...blocks, `fd80:24e2:f998:72d6::${host.number}00/122`],
    pools: POOLS.map((cidr) => ({ cidr, export: true, encapsulation: 'none' })),
  };
  return birdConfig(plan, { logFile: `${host.folder}/bird.log` });
}

async function routes(host: Host, family: 4 | 6 = 4): Promise<string> {
  return must(['ip', `-${family}`, '-n', host.namespace, 'route', 'show', 'proto', 'bird']);
}

async function hasRoute(host: Host, destination: string): Promise<boolean> {
  return (await routes(host, destination.includes(':') ? 6 : 4)).includes(`${destination} via `);
}

async function birdPid(host: Host): Promise<number> {
  return Number(await readFile(`${host.folder}/bird.pid`, 'utf8'));
}

/** When each session came up, by its name. */
async function sessions(host: Host): Promise<Readonly<Record<string, string>>> {
  const protocols = (await host.bird.control?.protocols()) ?? [];
  return Object.fromEntries(
    protocols.filter(({ type }) => type === 'BGP').map(({ name, info, since }) => [name, `${info} ${since}`]),
  );
}

/** Brings a mesh of all hosts up. */
async function meet(): Promise<void> {
  await Promise.all(hosts.map((host) => host.bird.apply(configOf(host))));
  expect(hosts.map(({ bird }) => bird.problem)).toEqual(hosts.map(() => undefined));
  for (const host of hosts) {
    for (const { number } of hosts.filter((other) => other !== host)) {
      await until('the IPv4 route', () => hasRoute(host, `192.168.${number}.0/26`), { deadlineMs: 8_000 });
      await until('the IPv6 route', () => hasRoute(host, `fd80:24e2:f998:72d6::${number}00/122`), {
        deadlineMs: 8_000,
      });
    }
  }
}

/** A program of its own that starts BIRD, says `up` and stays: `FOLDER CONFIG COMMAND…`. */
const SUPERVISOR = `
import { BirdProcess } from './src/bgp/bird-process.ts';
const [folder, config, ...command] = process.argv.slice(2);
const file = (end) => folder + '/bird.' + end;
const files = { configFile: file('cfg'), socket: file('ctl'), pidFile: file('pid'), logFile: file('log') };
const bird = new BirdProcess({ ...files, command });
await bird.apply(config);
process.stdout.write(bird.problem === undefined ? 'up' : bird.problem.message);
setInterval(() => undefined, 60_000);
`;

async function bundleSupervisor(): Promise<string> {
  const outfile = join(folder, 'supervisor.mjs');
  // In a process that ends: the library would leave one running.
  const esbuild = join(repositoryRoot(), 'node_modules/.bin/esbuild');
  const entry = join(folder, 'supervisor.ts');
  await writeFile(entry, SUPERVISOR.replace('./src', join(repositoryRoot(), 'src')));
  await must([esbuild, entry, `--outfile=${outfile}`, '--bundle', '--platform=node', '--format=esm']);
  return outfile;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-bgp-'));
  const id = folder.slice(-6);
  const bridge = `bgp-${id}`;
  await must(['ip', 'netns', 'add', bridge]);
  await must(['ip', '-n', bridge, 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0']);
  await must(['ip', '-n', bridge, 'link', 'set', 'br0', 'up']);
  hosts = [1, 2, 3].map((number) => {
    const host = { number, namespace: `bgp-${id}-${number}`, folder: join(folder, String(number)) };
    return { ...host, bird: birdAt(host) };
  });
  for (const { number, namespace } of hosts) {
    const ip = (...words: string[]): Promise<string> => must(['ip', '-n', namespace, ...words]);
    await must(['ip', 'netns', 'add', namespace]);
    await must([
      'ip',
      '-n',
      bridge,
      'link',
      'add',
      `p${number}`,
      'master',
      'br0',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace,
    ]);
    await must(['ip', '-n', bridge, 'link', 'set', `p${number}`, 'up']);
    await ip('link', 'set', 'lo', 'up');
    await ip('addr', 'add', `192.0.2.${number}/24`, 'dev', 'eth0');
    await ip('addr', 'add', `2001:db8::${number}/64`, 'dev', 'eth0', 'nodad');
    await ip('link', 'set', 'eth0', 'up');
  }
});

afterEach(async () => {
  for (const bird of extra) await bird.close();
  for (const host of hosts) {
    const identity = identify(await birdPid(host).catch(() => 0));
    if (identity !== undefined) await end(identity);
    await must(['ip', 'netns', 'del', host.namespace]);
  }
  await must(['ip', 'netns', 'del', `bgp-${folder.slice(-6)}`]);
  await rm(folder, { recursive: true, force: true });
  extra = [];
  hosts = [];
});

describe('BIRD under supervision', () => {
  test('a mesh of three has its block routes in every kernel within seconds, and no blackhole of its own', async () => {
    const startedMs = performance.now();
    await meet();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    expect(await must(['ip', '-n', first.namespace, 'route', 'show', 'type', 'blackhole'])).toBe('');
    expect(await first.bird.control?.status()).toMatchObject({ routerId: '192.0.2.1', isRecovering: false });
  });

  test('a killed supervisor leaves BIRD running; the next one adopts it, and goes on with it', async () => {
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    const outfile = await bundleSupervisor();
    const command = ['ip', 'netns', 'exec', first.namespace, 'bird'];
    const child = spawn(process.execPath, [outfile, first.folder, configOf(first), ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = await new Promise((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString())));
    expect(said).toBe('up');
    const pid = await birdPid(first);
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(identify(pid)).toBeDefined();
    await meet();
    expect(await birdPid(first)).toBe(pid);
  });

  test('adopting a BIRD that runs costs no session, with the same configuration and with another', async () => {
    await meet();
    const [first, second] = hosts;
    if (first === undefined || second === undefined) throw new Error('no hosts');
    const [before, beforeThere, pid] = [await sessions(first), await sessions(second), await birdPid(first)];
    expect(Object.values(before).filter((text) => text.startsWith('Established'))).toHaveLength(4);
    for (const blocks of [['192.168.1.0/26'], ['192.168.1.0/26', '192.168.1.128/26']]) {
      await first.bird.close();
      const next = birdAt(first);
      await next.apply(configOf(first, blocks));
      expect(next.problem).toBeUndefined();
      expect(await sessions({ ...first, bird: next })).toEqual(before);
    }
    await until('the block that the adopter announced', () => hasRoute(second, '192.168.1.128/26'));
    expect(await sessions(second)).toEqual(beforeThere);
    expect(await birdPid(first)).toBe(pid);
  });

  test('a new block is announced, and no session notices', async () => {
    await meet();
    const [first, second] = hosts;
    if (first === undefined || second === undefined) throw new Error('no hosts');
    const before = await sessions(first);
    expect(Object.values(before).filter((text) => text.startsWith('Established'))).toHaveLength(4);
    await first.bird.apply(configOf(first, ['192.168.1.0/26', '192.168.1.64/26']));
    await until('the new route', () => hasRoute(second, '192.168.1.64/26'), { deadlineMs: 3_000 });
    expect(await sessions(first)).toEqual(before);
  });

  test('a configuration that BIRD refuses leaves the old one in force, and says why', async () => {
    await meet();
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    const good = configOf(first);
    const before = await sessions(first);
    await first.bird.apply(`${good}\nprotocol nonsense {}\n`);
    expect(first.bird.problem).toMatchObject({ code: 'ERR_CALI_BIRD_REFUSED' });
    expect(first.bird.problem?.message).toMatch(/^BIRD refuses its configuration: .*syntax error/);
    expect(await readFile(`${first.folder}/bird.cfg`, 'utf8')).toBe(good);
    expect(await sessions(first)).toEqual(before);
    await first.bird.apply(good);
    expect(first.bird.problem).toBeUndefined();
  });

  test('a killed BIRD is started again and keeps the routes of its predecessor meanwhile', async () => {
    await meet();
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    const killed = identify(await birdPid(first));
    if (killed === undefined) throw new Error('BIRD does not run');
    let lost = 0;
    const watch = async (): Promise<boolean> => {
      if (!(await hasRoute(first, '192.168.2.0/26'))) lost += 1;
      return (
        (await birdPid(first)) !== killed.pid &&
        Object.values(await sessions(first)).filter((text) => text.startsWith('Established')).length === 4
      );
    };
    await end(killed);
    await until('a new BIRD with its sessions', watch, { deadlineMs: 10_000 });
    await until('the end of its recovery', async () => !((await first.bird.control?.status())?.isRecovering ?? true), {
      deadlineMs: 40_000,
    });
    expect(await hasRoute(first, '192.168.2.0/26')).toBe(true);
    expect(lost).toBe(0);
    expect(first.bird.problem).toBeUndefined();
  });

  test('stop() ends it, and only that', async () => {
    await meet();
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    const pid = await birdPid(first);
    await first.bird.close();
    expect(identify(pid)).toBeDefined();
    await birdAt(first).stop();
    await until('BIRD gone', () => identify(pid) === undefined);
    expect(identify(pid)).toBeUndefined();
  });

  test('a missing program is said, with what to install', async () => {
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    const bird = birdAt(first, { command: [join(folder, 'no-such-bird')] });
    await bird.apply(configOf(first));
    expect(bird.problem).toMatchObject({ code: 'ERR_CALI_BIRD_MISSING', hint: 'install bird2' });
    await bird.close();
  });
});
