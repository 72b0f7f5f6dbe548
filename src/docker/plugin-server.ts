import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request as ask, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { CalicoError, formatError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { badRequest, unknownMethod } from './messages.js';

const BODY_LIMIT_BYTES = 1024 * 1024;

/** Takes the parsed body of a call, gives what the engine gets. What it throws the engine shows to its user. */
export type PluginMethod = (body: unknown) => Promise<object> | object;

export interface PluginServerOptions {
  readonly socketPath: string;
  /** By the path without its slash: `NetworkDriver.Join`. */
  readonly methods: Readonly<Record<string, PluginMethod>>;
  readonly log: Log;
}

class TooLarge extends CalicoError {}

async function readBody(request: IncomingMessage, method: string): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) throw new TooLarge('ERR_CALI_DOCKER_REQUEST', `${method}: the body is over 1 MiB`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString().trim();
  if (text === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badRequest(method, 'the body is not JSON');
  }
}

/** The socket by which Docker engines call a plugin. */
export class PluginServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: PluginServerOptions;
  readonly #running = new Set<Promise<void>>();

  private constructor(options: PluginServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      const done = this.#respond(request, response).finally(() => this.#running.delete(done));
      this.#running.add(done);
    });
    // Engines keep their connections open between calls, and take one that was closed meanwhile for a failure.
    this.#server.keepAliveTimeout = 0;
    // An engine's call has a small body, sent at once.
    this.#server.requestTimeout = 30_000;
  }

  /**
   * Replaces the socket that a server left which is no more.
   *
   * @throws {CalicoError} `ERR_CALI_DOCKER_LISTEN` another one listens there, or the socket cannot be made
   */
  static async start(options: PluginServerOptions): Promise<PluginServer> {
    const { socketPath } = options;
    const plugin = new PluginServer(options);
    try {
      await mkdir(dirname(socketPath), { recursive: true });
      if (await answers(socketPath)) throw new Error('another plugin listens there: stop it first');
      await rm(socketPath, { force: true });
      await plugin.#listen();
      await chmod(socketPath, 0o660);
    } catch (cause) {
      throw new CalicoError('ERR_CALI_DOCKER_LISTEN', `cannot listen on ${socketPath}: ${formatError(cause)}`, {
        cause,
      });
    }
    return plugin;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      // Born closed to others: the mode comes a moment later.
      const umask = process.umask(0o117);
      this.#server.once('error', reject);
      this.#server.listen(this.#options.socketPath, () => {
        this.#server.off('error', reject);
        resolve();
      });
      process.umask(umask);
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = (request.url ?? '/').replace(/^\//, '').replace(/\?.*$/s, '');
    const startedMs = performance.now();
    let status = 200;
    let answer: object;
    try {
      const method = Object.hasOwn(this.#options.methods, name) ? this.#options.methods[name] : undefined;
      const body = await readBody(request, name);
      if (method === undefined) throw unknownMethod(`/${name.slice(0, 80)}`);
      answer = await method(body);
    } catch (error) {
      status = statusOf(error);
      answer = { Err: formatError(error).replace('\n  hint: ', ' (') + (hasHint(error) ? ')' : '') };
      const facts = { method: name.slice(0, 80), error };
      // A refusal is the user's to read; what is no refusal is a bug of ours.
      if (error instanceof CalicoError) this.#options.log.info('refused', facts);
      else this.#options.log.error('failed', facts);
    }
    this.#options.log.debug('answered', {
      method: name.slice(0, 80),
      status,
      tookMs: Math.round(performance.now() - startedMs),
    });
    response.writeHead(status, { 'content-type': 'application/vnd.docker.plugins.v1.2+json' });
    response.end(`${JSON.stringify(answer)}\n`);
    // What is left of a body that was too long nobody reads.
    if (status === 413) request.destroy();
  }

  /** Takes no more calls, and lets those end that are on their way. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    await Promise.allSettled(this.#running);
    this.#server.closeAllConnections();
    await closed;
    await rm(this.#options.socketPath, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function hasHint(error: unknown): boolean {
  return error instanceof CalicoError && error.hint !== undefined;
}

/** With status 200 an engine would look for the message elsewhere. */
function statusOf(error: unknown): number {
  if (error instanceof TooLarge) return 413;
  if (!(error instanceof CalicoError)) return 500;
  if (error.code === 'ERR_CALI_DOCKER_METHOD') return 404;
  return error.code === 'ERR_CALI_DOCKER_REQUEST' ? 400 : 500;
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = ask(
      { socketPath, method: 'POST', path: '/Plugin.Activate', agent: false, timeout: 2_000 },
      (response) => {
        response.resume();
        resolve(true);
      },
    );
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
