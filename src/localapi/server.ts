import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { CalicoError, UnavailableError, ValidationError } from '../base/errors.js';
import { LocalApiClient } from './client.js';
import { failureAnswer } from './failures.js';
import { findRoute, type LocalAnswer, type LocalRoute } from './router.js';

const BODY_LIMIT_BYTES = 1024 * 1024;

export interface LocalApiServerOptions {
  readonly socketPath: string;
  readonly routes: readonly LocalRoute[];
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) throw new ValidationError('ERR_CALI_LOCAL_BODY', 'the body is over 1 MiB', []);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch (cause) {
    throw new ValidationError('ERR_CALI_LOCAL_BODY', 'the body is not JSON', [], { cause });
  }
}

/** Listens on a unix socket for programs of this host. */
export class LocalApiServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #socketPath: string;

  private constructor(server: Server, socketPath: string) {
    this.#server = server;
    this.#socketPath = socketPath;
  }

  /**
   * Replaces the socket that a server left which is no more.
   *
   * @throws {CalicoError} `ERR_CALI_LOCAL_RUNNING` another one listens there; `ERR_CALI_LOCAL_LISTEN`
   */
  static async start({ socketPath, routes }: LocalApiServerOptions): Promise<LocalApiServer> {
    await mkdir(dirname(socketPath), { recursive: true });
    await refuseLiveServer(socketPath);
    await rm(socketPath, { force: true });
    const server = createServer((request, response) => {
      void respond(routes, request, response);
    });
    await listen(server, socketPath);
    await chmod(socketPath, 0o660);
    return new LocalApiServer(server, socketPath);
  }

  /** Lets requests end that are on their way, takes no more. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    // Node removes the socket's file with the server.
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    await closed;
    await rm(this.#socketPath, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function refuseLiveServer(socketPath: string): Promise<void> {
  let pid: number;
  try {
    ({ pid } = await new LocalApiClient(socketPath).status());
  } catch (error) {
    // Nobody answers: the file, if there is one, is a leftover.
    if (error instanceof UnavailableError) return;
    throw error;
  }
  throw new CalicoError('ERR_CALI_LOCAL_RUNNING', `another calico-node runs on this host (pid ${pid})`, {
    hint: `stop it first: kill ${pid}`,
  });
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Born closed to others: the mode comes a moment later.
    const umask = process.umask(0o117);
    const refuse = (cause: Error): void => {
      reject(new CalicoError('ERR_CALI_LOCAL_LISTEN', `cannot listen on ${socketPath}: ${cause.message}`, { cause }));
    };
    server.once('error', refuse);
    server.listen(socketPath, () => {
      server.off('error', refuse);
      resolve();
    });
    process.umask(umask);
  });
}

async function respond(
  routes: readonly LocalRoute[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answer: LocalAnswer;
  try {
    const { route, parameters } = findRoute(routes, request.method ?? 'GET', request.url ?? '/');
    answer = await route.answer({ parameters, body: await readBody(request) });
  } catch (error) {
    answer = failureAnswer(error);
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(answer.body)}\n`);
}
