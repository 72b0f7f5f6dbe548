import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../setup/calicoctl.js';
import { TestEtcd } from '../../setup/etcd.js';

const PASSWORD = 'etcd-Pa55word-nobody-sees';
const INLINE_KEY = 'aW5saW5lLWtleS1ub2JvZHktc2Vlcw';
/** A host has it in its environment; calicoctl's own settings stand there too. */
const BGP_PASSWORD = 'bgp-Pa55word-nobody-sees';
const SECRETS = [PASSWORD, INLINE_KEY, BGP_PASSWORD];

let etcd: TestEtcd;
let directory: string;

beforeAll(async () => {
  etcd = await TestEtcd.start({ listen: 'tcp' });
  directory = await mkdtemp(join(tmpdir(), 'calico-cli-secrets-'));
});

afterAll(async () => {
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const PEM = `-----BEGIN PRIVATE KEY-----\n${INLINE_KEY}\n-----END PRIVATE KEY-----\n`;

function config(spec: object): string {
  return JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig', spec });
}

const PEER = `apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: peer}
spec:
  peerIP: 192.0.2.1
  asNumber: 64512
  password: {secretKeyRef: {name: bgp, key: password}}
`;

/** Configurations that work, that are refused by etcd, by us, and by TLS. */
async function configurations(): Promise<readonly { words: string[]; environment: Record<string, string> }[]> {
  const endpoint = etcd.endpoint;
  const withUser = { etcdEndpoints: endpoint, etcdUsername: 'me', etcdPassword: PASSWORD };
  const secured = { etcdEndpoints: endpoint.replace('http:', 'https:'), etcdKey: PEM, etcdCert: PEM };
  const files = [
    await file('user.cfg', config(withUser)),
    await file('keys.cfg', config(secured)),
    await file('twice.cfg', config({ ...secured, etcdKeyFile: '/k' })),
    await file('typed.cfg', config({ ...withUser, etcdPassword: [PASSWORD] })),
    await file('cut.cfg', config(withUser).slice(0, -2)),
  ];
  const user = { ETCD_USERNAME: 'me', ETCD_PASSWORD: PASSWORD };
  return [
    ...files.map((path) => ({ words: ['-c', path], environment: {} })),
    { words: [], environment: { ETCD_ENDPOINTS: endpoint, ...user } },
    { words: [], environment: { ETCD_ENDPOINTS: endpoint, ETCD_PASSWORD: PASSWORD } },
    { words: [], environment: { ETCD_ENDPOINTS: endpoint.replace('http://', `http://me:${PASSWORD}@`) } },
    { words: [], environment: { ETCD_ENDPOINTS: 'http://127.0.0.1:1', ...user } },
  ];
}

test.each(['panic', 'error', 'warn', 'info', 'debug'])('no secret is in any output at level %s', async (level) => {
  const commands = [
    { words: ['apply', '-f', '-'], stdin: PEER },
    { words: ['get', 'bgppeer', 'peer', '-o', 'yaml'], stdin: '' },
    { words: ['delete', 'bgppeer', 'peer'], stdin: '' },
    { words: ['version'], stdin: '' },
  ];
  let heard = 0;
  for (const { words: where, environment } of await configurations()) {
    for (const { words, stdin } of commands) {
      const { stdout, stderr } = await runProgram([...words, '-l', level, ...where], {
        environment: { ...environment, BGP_PASSWORD },
        stdin,
      });
      for (const secret of SECRETS) expect(stdout + stderr).not.toContain(secret);
      heard += stdout.length + stderr.length;
    }
  }
  expect(heard).toBeGreaterThan(500);
});
