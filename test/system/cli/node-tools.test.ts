import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostProcess, LabHost } from '../../../lab/host.js';
import { run, until } from '../../../lab/processes.js';
import { loneHost } from '../../../lab/topology.js';
import { LocalApiClient } from '../../../src/localapi/client.js';
import { useLab } from '../../setup/lab.js';

const lab = useLab(loneHost());
const SECRET = 'sesame-4711';
let node: HostProcess;

function host(): LabHost {
  return lab().host('calico-01');
}

async function calicoctl(...words: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return host().exec(['calicoctl', ...words], { check: false, timeoutMs: 60_000 });
}

beforeAll(async () => {
  host().writeFile('/etc/calico/felix.cfg', `[global]\nLogSeverityScreen = info\nEtcdPassword = ${SECRET}\n`);
  node = await host().spawn(['calico-node'], { log: '/var/log/calico/node.log' });
  const api = new LocalApiClient(host().path('/run/calico/calico.sock'));
  await until('calico-node has programmed the kernel', async () => (await api.status()).felix.isProgrammed, {
    deadlineMs: 20_000,
  });
});

afterAll(async () => {
  await node.kill('SIGTERM');
});

/** What the archive named in the last line holds, by path; read outside the host, and taken away: hosts share the machine's /tmp. */
async function unpack(stdout: string): Promise<{ readonly names: readonly string[]; readonly text: string }> {
  const [, archive = ''] = /Diags saved to (\S+)\n$/.exec(stdout) ?? [];
  const path = host().path(archive);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const folder = mkdtempSync('/tmp/calico-unpacked-');
  try {
    await run(['tar', '-C', folder, '-xzf', path]);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    const text = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n');
    return { names: names.map((name) => name.replace(/^[^/]+\//, '')), text };
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(dirname(path), { recursive: true });
  }
}

describe('calicoctl node diags', () => {
  test('packs what was seen of the host, its settings and its logs, and no secret', async () => {
    host().writeFile('/var/log/calico/extra/felix.log', `connecting to http://root:${SECRET}@192.0.2.1:2379\n`);
    const { status, stdout } = await calicoctl('node', 'diags');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Collecting diagnostics\nDiags saved to \/tmp\/calico-\w+\/diags-\d{8}_\d{6}\.tar\.gz\n$/);
    const { names, text } = await unpack(stdout);
    for (const name of [
      'date',
      'hostname',
      'ipv4_route',
      'ipv6_route',
      'ipv4_addr',
      'ipv6_addr',
      'nft_ruleset',
      'iptables-save',
      'ip6tables-save',
      'ipset',
      'journalctl',
      'netstat',
      'node_status.json',
      'settings/etc/calico/felix.cfg',
      'settings/etc/calico/confd/config/bird.cfg',
      'logs/node.log',
      'logs/extra/felix.log',
    ]) {
      expect(names).toContain(name);
    }
    expect(text).toContain('table inet calico');
    expect(text).toContain('"isProgrammed": true');
    expect(text).not.toContain(SECRET);
  });

  test('says when there are no logs, and takes those of another folder; the old form does the same', async () => {
    const without = await calicoctl('node', 'diags', '--log-dir', '/nowhere');
    expect(without.stderr).toBe('no logs: there is no folder /nowhere; name another with --log-dir\n');
    expect((await unpack(without.stdout)).names).not.toContain('logs/felix.log');
    host().writeFile('/run/logs/felix.log', 'hello\n');
    const { stdout, stderr } = await calicoctl('diags', '--log-dir=/run/logs');
    expect(stderr).toBe('note: today: calicoctl node diags\n');
    expect((await unpack(stdout)).names).toContain('logs/felix.log');
  });
});

const FAKE_KUBECTL = `#!/bin/sh
case "$*" in
  "get pods -A -o jsonpath"*) printf 'kube-system calico-node-a n1 calico-node\\nkube-system calico-node-b n2 calico-node\\nshop web n1 \\n';;
  "api-resources"*) echo ippools.crd.projectcalico.org;;
  *) echo "asked: $*"; echo "password: ${SECRET}";;
esac
`;

describe('calicoctl cluster diags', () => {
  test('says what it needs when there is no kubectl, or no cluster', async () => {
    const { status, stderr } = await host().exec(['calicoctl', 'cluster', 'diags'], {
      check: false,
      env: { KUBECONFIG: '/nonexistent' },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^(cluster diags reads the cluster with kubectl|kubectl get pods fails: ).*\n {2}hint: /);
  });

  test('asks kubectl for everything, pods of the nodes in focus first', async () => {
    host().writeFile('/run/fake/kubectl', FAKE_KUBECTL);
    await host().exec(['chmod', '755', '/run/fake/kubectl']);
    const command = 'PATH=/run/fake:$PATH exec calicoctl cluster diags --max-logs 1 --focus-nodes n2 --since 5m';
    const { stdout } = await host().exec(['sh', '-c', command]);
    const { names, text } = await unpack(stdout);
    expect(names).toContain('resources/ippools.yaml');
    expect(names).toContain('pods/kube-system/calico-node-b/log.txt');
    expect(names).not.toContain('pods/kube-system/calico-node-a/log.txt');
    expect(names).toContain('pods/kube-system/calico-node-b/nft_ruleset.txt');
    expect(text).toContain('asked: logs -n kube-system calico-node-b --all-containers --prefix --since=5m');
    expect(text).not.toContain(SECRET);
  });

  test('refuses options that make no sense', async () => {
    expect((await calicoctl('cluster', 'diags', '--max-logs', 'many')).stderr).toBe(
      '--max-logs: "many" is not a number from 1 to 9999\n',
    );
    expect((await calicoctl('cluster', 'diags', '--since', 'noon')).stderr).toContain('"noon" is not a duration');
  });
});

describe('calicoctl node checksystem', () => {
  test('finds this host fit', async () => {
    const { status, stdout } = await calicoctl('node', 'checksystem');
    expect([status, stdout]).toEqual([0, expect.stringContaining('    nf-tables                   OK\n')]);
    expect(stdout.endsWith('System meets minimum system requirements to run Calico!\n')).toBe(true);
  });

  test('judges another kernel by its configuration', async () => {
    host().writeFile('/run/config', 'CONFIG_NF_TABLES=y\n');
    const { status, stdout, stderr } = await calicoctl('node', 'checksystem', '-f', '/run/config');
    expect(status).toBe(1);
    expect(stdout).toContain('    nf_conntrack                FAILED: not found\n');
    expect(stderr).toBe("system doesn't meet one or more minimum systems requirements to run Calico\n");
    const missing = await calicoctl('node', 'checksystem', '--kernel-config=/nonexistent');
    expect(missing.stderr).toContain('cannot read the kernel configuration "/nonexistent": there is no such file\n');
  });
});
