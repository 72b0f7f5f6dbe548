import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { TestEtcd } from '../setup/etcd.js';
import { freePort } from '../setup/free-port.js';

/** What the server answered. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const TOKEN = 'test-token';
const START_LIMIT_MS = 60_000;

/** A Kubernetes API server with nothing in it but itself: no controllers, no nodes. */
export class TestApiServer {
  readonly #directory: string;
  readonly #port: number;
  readonly #etcd: TestEtcd;
  readonly #child: ChildProcess;

  private constructor(directory: string, port: number, etcd: TestEtcd, child: ChildProcess) {
    this.#directory = directory;
    this.#port = port;
    this.#etcd = etcd;
    this.#child = child;
  }

  /** Starts one and waits until it is ready: some seconds. */
  static async start(): Promise<TestApiServer> {
    const program = execFileSync('bash', ['scripts/kube-apiserver'], { encoding: 'utf8' }).trim();
    const directory = await mkdtemp(join(tmpdir(), 'calico-test-kubernetes-'));
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const keyFile = join(directory, 'accounts.key');
    await writeFile(keyFile, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    await writeFile(join(directory, 'tokens.csv'), `${TOKEN},admin,admin,system:masters\n`, { mode: 0o600 });
    const etcd = await TestEtcd.start({ listen: 'tcp' });
    const port = await freePort();
    const child = spawn(
      program,
      [
        `--etcd-servers=${etcd.endpoint}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${directory}`,
        `--token-auth-file=${join(directory, 'tokens.csv')}`,
        '--authorization-mode=AlwaysAllow',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${keyFile}`,
        `--service-account-signing-key-file=${keyFile}`,
        '--service-cluster-ip-range=192.0.2.0/24',
        // Else it would want an address that others reach.
        '--endpoint-reconciler-type=none',
        '--disable-admission-plugins=ServiceAccount',
      ],
      { stdio: 'ignore', cwd: directory },
    );
    const server = new TestApiServer(directory, port, etcd, child);
    await server.#untilReady();
    return server;
  }

  /** @param body sent as JSON */
  async call(method: string, path: string, body?: object): Promise<Answer> {
    const sent = request({
      host: '127.0.0.1',
      port: this.#port,
      path,
      method,
      ca: readFileSync(join(this.#directory, 'apiserver.crt')),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', accept: 'application/json' },
      agent: false,
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = await text(response);
    const isJson = answer.startsWith('{');
    return { status: response.statusCode ?? 0, body: isJson ? (JSON.parse(answer) as Answer['body']) : { answer } };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    await this.#etcd.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #untilReady(): Promise<void> {
    const deadlineMs = Date.now() + START_LIMIT_MS;
    for (let last = ''; ; await sleepMs(100)) {
      try {
        const { status, body } = await this.call('GET', '/readyz');
        if (status === 200) return;
        last = JSON.stringify(body);
      } catch (error) {
        last = String(error);
      }
      if (Date.now() > deadlineMs || this.#child.exitCode !== null) {
        await this.stop();
        throw new Error(`the API server does not get ready: ${last}`);
      }
    }
  }
}
