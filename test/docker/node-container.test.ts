import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LabEngine, missingEngine, sweepControlGroups } from '../../lab/docker-engine.js';
import type { LabHost } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { nodeImage } from '../../lab/node-image.js';
import { type Finished, until } from '../../lab/processes.js';
import { oneSubnet } from '../../lab/topology.js';
import { LocalApiClient } from '../../src/localapi/client.js';

describe.skipIf(missingEngine('20.10') !== undefined)('calico-node in a container', () => {
  let lab: Lab;
  let engine: LabEngine;
  let withoutImage: Finished;
  let loaded: string;
  const host = (): LabHost => lab.host('calico-01');
  const api = (): LocalApiClient => new LocalApiClient(host().path('/run/calico/calico.sock'));
  const calicoctl = (...words: readonly string[]) =>
    host().exec(['calicoctl', ...words], { check: false, timeoutMs: 60_000 });

  beforeAll(async () => {
    const image = await nodeImage();
    lab = await Lab.start({ ...oneSubnet(1), name: 'container', engineStore: true });
    engine = await LabEngine.start(host(), {
      generation: '20.10',
      clusterStore: `etcd://${lab.etcdEndpoint.replace('http://', '')}`,
    });
    await engine.importImage();
    withoutImage = await calicoctl('node', 'run');
    loaded = await engine.say(['load', '-i', image]);
  }, 240_000);

  afterAll(async () => {
    await lab.stop();
    await until('control groups gone', () => sweepControlGroups() === 0, { everyMs: 50 });
  });

  test('says what to do while the engine does not have the image', () => {
    expect(withoutImage.status).toBe(1);
    expect(withoutImage.stderr).toContain(
      'error executing command: this engine does not have the image calico/node:latest\n  hint: build and load it (make image;',
    );
  });

  test('calicoctl node starts it with the network plug-in: containers of a network reach each other, others do not', async () => {
    expect(loaded).toContain('Loaded image: calico/node:latest');
    const { status, stdout, stderr } = await calicoctl('node', '--libnetwork');
    expect([status, stderr.split('\n')[0]]).toEqual([0, 'note: today: calicoctl node run']);
    expect(stdout).toMatch(/\ndocker run --net=host --privileged --name=calico-node -d --restart=always .*\n/);
    expect(stdout).toMatch(
      /\nCalico node is running with id: [0-9a-f]{64}\nCalico node running with libnetwork plugin enabled\nWaiting for successful startup\nCalico node started successfully\n$/,
    );
    expect(await engine.say(['ps', '--format', '{{.Names}} {{.Image}}'])).toBe('calico-node calico/node:latest');
    expect(await api().status()).toMatchObject({ node: 'calico-01', isContainer: true });
    expect((await calicoctl('status')).stdout).toMatch(/^calico-node container is running\. Status: Up /);
    await calicoctl('pool', 'add', '192.168.0.0/16');
    for (const name of ['net1', 'net2']) {
      await engine.docker(['network', 'create', '--driver', 'calico', '--ipam-driver', 'calico', name]);
    }
    for (const [name, network] of [
      ['workload-a', 'net1'],
      ['workload-b', 'net2'],
      ['workload-c', 'net1'],
    ] as const) {
      await engine.docker(['run', '--net', network, '--name', name, '-tid', 'busybox']);
    }
    const address = async (name: string) =>
      engine.say(['inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name]);
    const pings = async (to: string) =>
      (await engine.docker(['exec', 'workload-a', 'ping', '-c', '1', '-W', '1', to], { check: false })).status === 0;
    const [b, c] = [await address('workload-b'), await address('workload-c')];
    await until('workload-a reaches workload-c', () => pings(c), { deadlineMs: 15_000 });
    expect(await pings(b)).toBe(false);
  });

  test('node run replaces the container; BIRD speaks; what goes wrong inside is told', async () => {
    expect((await calicoctl('node', '--libnetwork')).status).toBe(0);
    const before = await engine.say(['inspect', '-f', '{{.Id}}', 'calico-node']);
    const { status, stdout } = await calicoctl('node', 'run', '--as=64600');
    expect([status, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, 'Calico node started successfully']);
    expect(await engine.say(['inspect', '-f', '{{.Id}}', 'calico-node'])).not.toBe(before);
    await until('BIRD runs', async () => (await api().status()).bgp.isRunning, { deadlineMs: 15_000 });
    expect((await calicoctl('node', 'status')).stdout).toContain('IPv4 BGP status\nNo IPv4 peers found.');
    const wrong = await calicoctl(
      'node',
      'run',
      '--name=other',
      '--ip=autodetect',
      '--ip-autodetection-method=interface=nothing',
    );
    expect(wrong.stderr).toContain('error executing command: calico/node has terminated, check logs for details');
  });

  test('node stop ends the container', async () => {
    await calicoctl('node', 'run');
    const { status } = await calicoctl('node', 'stop', '--force');
    expect(status).toBe(0);
    expect(await engine.say(['ps', '-q'])).not.toContain(await engine.say(['inspect', '-f', '{{.Id}}', 'calico-node']));
    expect((await calicoctl('node', 'status')).status).toBe(1);
  });
});
