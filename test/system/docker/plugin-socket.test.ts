import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LabCluster } from '../../../lab/cluster.js';
import { PLUGIN_SOCKET } from '../../../src/docker/plugin.js';
import type { HostProcess } from '../../../lab/host.js';
import { Lab } from '../../../lab/lab.js';
import { until } from '../../../lab/processes.js';
import { oneSubnet } from '../../../lab/topology.js';

const ID = 'a'.repeat(64);

describe("the plugin's socket, written to by hand", () => {
  let lab: Lab;
  let cluster: LabCluster;
  let node: HostProcess;

  beforeAll(async () => {
    lab = await Lab.start({ ...oneSubnet(1), name: 'plugin-socket' });
    cluster = new LabCluster(lab);
    await start();
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await lab.stop();
  });

  const host = () => lab.host('calico-01');

  async function start(): Promise<void> {
    node = await cluster.startNode('calico-01', { env: { CALICO_LIBNETWORK_ENABLED: 'true' } });
    await until('the plugin', async () => (await ask('Plugin.Activate')).startsWith('200 '), { deadlineMs: 20_000 });
  }

  /** Status and body. */
  async function ask(path: string, body = '', words: readonly string[] = []): Promise<string> {
    const curl = ['curl', '-s', '--max-time', '20', '-w', '\n%{http_code}', '--unix-socket', PLUGIN_SOCKET];
    const asked = [...curl, '--data-binary', '@-', ...words, `http://plugin/${path}`];
    const { stdout } = await host().exec(asked, { check: false, input: body });
    const [status = '', ...answer] = stdout.split('\n').toReversed();
    return `${status} ${answer.toReversed().join('').trim()}`;
  }

  test('whatever is no call gets an answer that says so, and the next call is served', async () => {
    const join = 'NetworkDriver.Join';
    expect(await ask(join, '{"NetworkID":')).toMatch(/^400 .*NetworkDriver\.Join: .*the body is not JSON/);
    expect(await ask(join, '\0\u{1F419}\0')).toMatch(/^400 .*the body is not JSON/);
    for (const body of ['[]', 'null', '7', '"text"', '{"NetworkID":7}', '{"NetworkID":"../../etc","EndpointID":"x"}']) {
      expect(await ask(join, body), body).toMatch(/^400 \{"Err":"NetworkDriver\.Join: the request is not as engines/);
    }
    expect(await ask('NetworkDriver.Nonsense', '{}')).toMatch(/^404 \{"Err":"there is no \/NetworkDriver\.Nonsense/);
    expect(await ask('__proto__', '{}')).toMatch(/^404 /);
    expect(await ask('x'.repeat(4_000), '{}')).toMatch(/^404 /);
    expect(await ask(join, JSON.stringify({ NetworkID: ID, EndpointID: ID, SandboxKey: '/nowhere' }))).toMatch(
      /^500 \{"Err":"endpoint a{64} is not known on this host/,
    );
    expect(await ask('IpamDriver.RequestAddress', '{"PoolID":"CalicoPoolIPv4","Address":"300.1.1.1"}')).toMatch(
      /^500 \{"Err":"The address 300\.1\.1\.1 is not in one of/,
    );
    expect(await ask('IpamDriver.RequestPool', '{"Pool":"192.168.0.0/33"}')).toBe('500 {"Err":"Invalid CIDR"}');
    expect(await ask('Plugin.Activate')).toContain('NetworkDriver');
  });

  test('a giant body is refused as soon as it is too long, also without a length, and costs no memory', async () => {
    const giant = `{"NetworkID":"${'a'.repeat(20 * 1024 * 1024)}"}`;
    const pid = (await host().exec(['pgrep', '-f', 'calico-node'])).stdout.split('\n')[0] ?? '';
    const residentKiB = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(host().readFile(`/proc/${pid}/status`))?.[1] ?? Number.NaN);
    const before = residentKiB();
    for (const words of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => ask('NetworkDriver.Join', giant, words)));
      // An answer, or a connection that was cut while there was still much to send.
      for (const answer of answers) expect(answer).toMatch(/^(413 \{"Err":".*over 1 MiB"\}|000 )/);
    }
    expect(await ask('Plugin.Activate')).toMatch(/^200 /);
    expect(residentKiB() - before).toBeLessThan(64 * 1024);
  });

  test('many half calls that never end do not keep others from being served', async () => {
    const half = [
      'bash',
      '-c',
      `(printf 'POST /NetworkDriver.Join HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 99\\r\\n\\r\\n{'; sleep 30)`,
    ];
    const holders = await Promise.all(
      Array.from({ length: 30 }, () =>
        host().spawn([...half.slice(0, 2), `${half[2] ?? ''} | ncat -U ${PLUGIN_SOCKET}`], { log: '/dev/null' }),
      ),
    );
    expect(await ask('Plugin.Activate')).toMatch(/^200 /);
    for (const holder of holders) await holder.kill();
  });

  test('the socket is closed to others, and one that a killed node left is replaced', async () => {
    const mode = () => (statSync(host().path(PLUGIN_SOCKET)).mode & 0o777).toString(8);
    expect(mode()).toBe('660');
    const before = statSync(host().path(PLUGIN_SOCKET)).ino;
    await node.kill('SIGKILL');
    expect(await ask('Plugin.Activate'), 'the file alone').toMatch(/^000 /);
    await start();
    expect(mode()).toBe('660');
    expect(statSync(host().path(PLUGIN_SOCKET)).ino).not.toBe(before);
  });
});
