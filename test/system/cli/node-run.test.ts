import { afterEach, describe, expect, test } from 'vitest';
import type { LabHost } from '../../../lab/host.js';
import { until } from '../../../lab/processes.js';
import { loneHost } from '../../../lab/topology.js';
import { LocalApiClient } from '../../../src/localapi/client.js';
import { useLab } from '../../setup/lab.js';

const lab = useLab(loneHost());

function host(): LabHost {
  return lab().host('calico-01');
}

interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function calicoctl(words: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  return host().exec(['calicoctl', ...words], { check: false, env, timeoutMs: 40_000 });
}

const api = (): LocalApiClient => new LocalApiClient(host().path('/run/calico/calico.sock'));

afterEach(async () => {
  await calicoctl(['node', 'stop', '--force']);
});

describe('calicoctl node without a container', () => {
  test('starts calico-node, which lives on, and stops it', async () => {
    const { status, stdout, stderr } = await calicoctl(['node', '--runtime=none', '--libnetwork', '--as=64600']);
    expect([status, stderr.split('\n')[0]]).toEqual([0, 'note: today: calicoctl node run']);
    expect(stdout).toMatch(
      /^Calico node is running with id: \d+\nCalico node running with libnetwork plugin enabled\nWaiting for successful startup\nCalico node started successfully\n$/,
    );
    expect((await api().status()).node).toBe('calico-01');
    await until('the plan for BGP', async () => (await api().status()).bgp.asNumber === 64_600);
    const plugin = [
      'curl',
      '-s',
      '--unix-socket',
      '/run/docker/plugins/calico.sock',
      'http://d/NetworkDriver.GetCapabilities',
    ];
    await until('the plugin answers', async () =>
      (await host().exec(plugin, { check: false })).stdout.includes('Scope'),
    );
    expect((await calicoctl(['node', 'status'])).stdout).toContain('Calico process is running.\n');
    const { pid } = await api().status();
    expect((await calicoctl(['node', 'stop', '--force'])).status).toBe(0);
    expect((await host().exec(['ps', '-p', String(pid)], { check: false })).stdout).not.toContain('node');
    expect((await calicoctl(['node', 'status'])).status).toBe(1);
  });

  test('the modern form does the same, and a second start takes the place of the first', async () => {
    const first = await calicoctl(['node', 'run', '--runtime=none', '--disable-docker-networking']);
    expect([first.status, first.stdout.split('\n').at(-2)]).toEqual([0, 'Calico node started successfully']);
    const { pid, node } = await api().status();
    expect(node).toBe('calico-01');
    expect((await calicoctl(['node', 'run', '--runtime=none'])).status).toBe(0);
    expect((await api().status()).pid).not.toBe(pid);
  });

  test('says why it did not start, and that it waits for its datastore', async () => {
    const wrong = await calicoctl([
      'node',
      'run',
      '--runtime=none',
      '--ip-autodetection-method=interface=nothing',
      '--ip=autodetect',
      '--name=other',
    ]);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain(
      'error executing command: calico/node has terminated, check logs for details\n  hint: see /var/log/calico/calico-node.log; it ends with: ',
    );
    const away = await calicoctl(['node', 'run', '--runtime=none'], { ETCD_ENDPOINTS: 'http://127.0.0.1:9' });
    expect(away.stderr).toMatch(
      /error executing command: calico\/node runs, but has not started within 10 seconds: .*waiting for/,
    );
    expect((await calicoctl(['node', 'status'])).stdout).toContain('waiting for etcd at http://127.0.0.1:9');
  });

  test('readies the kernel of the host', async () => {
    await host().exec(['sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward']);
    await calicoctl(['node', 'run', '--runtime=none', '--disable-docker-networking']);
    expect((await host().exec(['cat', '/proc/sys/net/ipv4/ip_forward'])).stdout).toBe('1\n');
  });
});

describe('calicoctl node run', () => {
  test('prints the command it would run, also to those whose configuration it refuses', async () => {
    const dry = await calicoctl(['node', 'run', '--dryrun', '--init-system'], {
      ETCD_ENDPOINTS: 'http://192.0.2.10:2379',
    });
    expect(dry.stdout).toContain(
      'Use the following command to start the calico/node container:\n\ndocker run --net=host --privileged --name=calico-node --rm ',
    );
    expect(dry.stdout).toContain(' -e ETCD_ENDPOINTS=http://192.0.2.10:2379 ');
    expect(dry.stdout).toContain('docker stop calico-node\n');
    const other =
      'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpoints: http://192.0.2.11:2379\n';
    host().writeFile('/run/other.cfg', other);
    const passedOver = await calicoctl(['node', 'run', '--dryrun', '-c', '/run/other.cfg'], {
      ETCD_ENDPOINTS: 'http://192.0.2.10:2379',
    });
    expect(passedOver.stdout).toContain(' -e ETCD_ENDPOINTS=http://192.0.2.11:2379 ');
    expect(passedOver.stderr).toContain(
      'note: /run/other.cfg says where the datastore is, and ETCD_ENDPOINTS=http://192.0.2.10:2379 is passed over',
    );
    host().writeFile('/run/bad.cfg', 'kind: Nothing\n');
    const bad = await calicoctl(['node', 'run', '-c', '/run/bad.cfg']);
    expect([bad.status, bad.stderr.split('\n')[0]]).toEqual([1, 'error executing command: invalid config file']);
  });

  test('says what to do when there is no engine', async () => {
    const { status, stderr } = await calicoctl(['node', 'run'], { DOCKER_HOST: 'unix:///nonexistent.sock' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/error executing command: .*\n {2}hint: .*--runtime=none\n$/);
  });

  test('the old form refuses what cannot be', async () => {
    const { stderr } = await calicoctl(['node', '--libnetwork', '--detach=false']);
    expect(stderr).toContain('error executing command: --detach=false cannot be used with --libnetwork\n');
  });
});
