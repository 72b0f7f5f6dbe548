import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../setup/calicoctl.js';
import { TestEtcd } from '../../setup/etcd.js';

const CALICOCTL = 'dist/bin/calicoctl';

let etcd: TestEtcd;
let directory: string;

beforeAll(async () => {
  etcd = await TestEtcd.start();
  directory = await mkdtemp(join(tmpdir(), 'calico-cli-'));
});

afterAll(async () => {
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Options {
  readonly environment?: Record<string, string>;
  readonly stdin?: string;
  /** Closes its standard output at once. */
  readonly deaf?: boolean;
}

async function calicoctl(words: readonly string[], options: Options = {}) {
  const environment = options.environment ?? { ETCD_ENDPOINTS: etcd.endpoint };
  const child = spawn(CALICOCTL, words, { env: { PATH: process.env['PATH'], ...environment } });
  child.stdin.end(options.stdin ?? '');
  if (options.deaf === true) child.stdout.destroy();
  const exited = once(child, 'exit');
  const outputs = [options.deaf === true ? Promise.resolve('') : text(child.stdout), text(child.stderr)];
  const [stdout = '', stderr = ''] = await Promise.all(outputs);
  const [status] = (await exited) as [number];
  return { status, stdout, stderr };
}

const policy = (name: string, more = '') =>
  `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ${name}}\nspec:\n  order: 7\n${more}---\n`;

describe('calicoctl on a real etcd', () => {
  test('what is applied is shown, changed and deleted', async () => {
    const file = join(directory, 'policies.yaml');
    await writeFile(file, policy('a') + policy('b'));
    expect(await calicoctl(['apply', '-f', file])).toEqual({
      status: 0,
      stdout: "Successfully applied 2 'GlobalNetworkPolicy' resource(s)\n",
      stderr: '',
    });
    expect((await calicoctl(['get', 'gnp', '-o', 'wide'])).stdout).toBe(
      'NAME   TIER      ORDER   SELECTOR\na      default   7\nb      default   7\n\n',
    );
    const yaml = (await calicoctl(['get', 'gnp', 'a', '-o', 'yaml'])).stdout;
    const replaced = await calicoctl(['replace', '-f', '-'], { stdin: yaml.replace('order: 7', 'order: 8') });
    expect(replaced.stdout).toBe("Successfully replaced 1 'GlobalNetworkPolicy' resource(s)\n");
    const stale = await calicoctl(['replace', '-f', '-'], { stdin: yaml });
    expect([stale.status, stale.stderr]).toEqual([
      1,
      'hit error: update conflict: GlobalNetworkPolicy(a)\n  hint: get it again, repeat your edit, replace\n',
    ]);
    expect((await calicoctl(['delete', '-f', file])).stdout).toBe(
      "Successfully deleted 2 'GlobalNetworkPolicy' resource(s)\n",
    );
  });

  test('points at line and column of a file and writes nothing of it', async () => {
    const file = join(directory, 'wrong.yaml');
    await writeFile(file, policy('c') + policy('d', '  selector: role =\n'));
    const { status, stderr } = await calicoctl(['apply', '-f', file]);
    expect([status, stderr]).toEqual([
      1,
      `${file}:12:13: GlobalNetworkPolicy "d": spec.selector: invalid selector "role =": expected == at character 6\n`,
    ]);
    expect((await calicoctl(['get', 'gnp'])).stdout).toBe('NAME   TIER\n\n');
  });

  test('a configuration file makes it deaf to the environment', async () => {
    const file = join(directory, 'calicoctl.cfg');
    await writeFile(
      file,
      `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec: {datastoreType: etcdv3, etcdEndpoints: "${etcd.endpoint}"}\n`,
    );
    const environment = { ETCD_ENDPOINTS: 'http://127.0.0.1:1' };
    expect((await calicoctl(['get', 'gnp', '-c', file], { environment })).status).toBe(0);
    expect(await calicoctl(['get', 'gnp', '-c', '/nowhere'], { environment })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'Error reading config file: /nowhere\n',
    });
  });

  test('an etcd that is away is one line and a hint', async () => {
    const { status, stderr } = await calicoctl(['get', 'gnp'], {
      environment: { ETCD_ENDPOINTS: 'http://127.0.0.1:1' },
    });
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      'failed to get resources: etcd at http://127.0.0.1:1: connection refused',
    ]);
  });

  test('an output that cannot be written is a failure of one line', async () => {
    const outcome = await runProgram(['-c', 'calicoctl get tier -o yaml > /dev/full'], {
      program: '/bin/sh',
      environment: { ETCD_ENDPOINTS: etcd.endpoint },
    });
    expect(outcome).toEqual({ status: 1, stdout: '', stderr: 'cannot write the output: no space is left\n' });
  });

  test('a reader that leaves early is no failure', async () => {
    const many = Array.from({ length: 300 }, (_, i) => policy(`many-${i}`)).join('');
    await calicoctl(['apply', '-f', '-'], { stdin: many });
    expect(await calicoctl(['get', 'gnp', '-o', 'yaml'], { deaf: true })).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});
