import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../../setup/etcd.js';

const run = promisify(execFile);
const BIN = resolve('dist/bin');

let etcd: TestEtcd;
let directory: string;

beforeAll(async () => {
  etcd = await TestEtcd.start();
  directory = await mkdtemp(join(tmpdir(), 'calico-completion-'));
  await writeFile(join(directory, 'pools.yaml'), '');
  const store = new EtcdDatastore(etcd.config);
  for (const name of ['office', 'outside']) {
    const spec = { cidr: `192.168.${name.length}.0/24`, nodeSelector: 'all()' };
    await store.create(
      { kind: 'IPPool', name },
      { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec },
    );
  }
  await store[Symbol.asyncDispose]();
});

afterAll(async () => {
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

/** What bash offers for a line that it took apart into these words. */
async function offered(words: readonly string[], endpoint = etcd.endpoint): Promise<readonly string[]> {
  const script = [
    'source <(calicoctl completion bash)',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
    '_calicoctl',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const env = { PATH: `${BIN}:${process.env['PATH']}`, ETCD_ENDPOINTS: endpoint };
  const { stdout } = await run('bash', ['-c', script, 'bash', ...words], { env, cwd: directory });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('the completion of bash', () => {
  test('knows commands, kinds, flags and the names there are', async () => {
    expect(await offered(['calicoctl', 'ge'])).toEqual(['get']);
    expect(await offered(['calicoctl', 'get', 'ipp'])).toEqual(['ippool']);
    expect(await offered(['calicoctl', 'get', 'ippool', 'o'])).toEqual(['office', 'outside']);
    expect(await offered(['calicoctl', 'get', 'ippool', 'office', '--wat'])).toEqual(['--watch']);
  });

  test('asks the datastore that the line names', async () => {
    const file = join(directory, 'calicoctl.cfg');
    const config = [
      'apiVersion: projectcalico.org/v3',
      'kind: CalicoAPIConfig',
      'spec:',
      `  etcdEndpoints: ${etcd.endpoint}`,
    ];
    await writeFile(file, config.join('\n'));
    const words = ['calicoctl', 'get', '-c', file, 'ippool', 'off'];
    expect(await offered(words, 'http://127.0.0.1:9')).toEqual(['office']);
  });

  test('puts words together again that bash took apart at =', async () => {
    expect(await offered(['calicoctl', 'get', 'ippool', '--output', '=', 'ya'])).toEqual(['yaml']);
    expect(await offered(['calicoctl', 'get', 'ippool', '-o', 'custom-columns', '=', 'CI'])).toEqual(['CIDR']);
    expect(await offered(['calicoctl', 'get', 'ippool', '--output', '='])).toContain('wide');
  });

  test('of kubectl calico says what kubectl reads', async () => {
    const env = { PATH: `${BIN}:${process.env['PATH']}`, ETCD_ENDPOINTS: etcd.endpoint };
    const asked = async (...words: readonly string[]) => (await run('kubectl_complete-calico', words, { env })).stdout;
    expect(await asked('get', 'ippool', 'o')).toBe('office\noutside\n:4\n');
    expect(await asked('get', 'ippool', '--output=ya')).toBe('yaml\n:4\n');
    expect(await asked('get', 'ippool', '-o', 'custom-columns')).toMatch(/^custom-columns=.*\n:6\n$/);
    expect(await asked('apply', '-f', '')).toBe(':0\n');
    expect(await asked('profile', 'x', 'rule', 'a')).toBe('add\n:4\n');
  });

  test('leaves names of files to bash', async () => {
    expect(await offered(['calicoctl', 'apply', '-f', 'po'])).toEqual(['pools.yaml']);
  });

  test('is quick and silent where there is no etcd', async () => {
    const startMs = performance.now();
    expect(await offered(['calicoctl', 'get', 'ippool', ''], 'http://127.0.0.1:9')).toEqual([]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test('reads as a script of bash', async () => {
    const { stdout } = await run(join(BIN, 'calicoctl'), ['completion', 'bash']);
    const file = join(directory, 'calicoctl.bash');
    await writeFile(file, stdout);
    await expect(run('bash', ['-n', file])).resolves.toMatchObject({ stderr: '' });
  });
});
