import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { CalicoError, UnavailableError, ValidationError } from '../base/errors.js';
import { LocalApiClient } from './client.js';
import { failureAnswer, TOO_LARGE } from './failures.js';
import { findRoute, type LocalAnswer, type LocalRoute, MethodError } from './router.js';

const BODY_LIMIT_BYTES = 1024 * 1024;
const DRAIN_LIMIT_BYTES = 64 * BODY_LIMIT_BYTES;
/** How long a client may take to send its request. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface LocalApiServerOptions {
  readonly socketPath: string;
  readonly routes: readonly LocalRoute[];
  /** Hears of failures that are no {@link CalicoError}: the client is told the message, not the stack. */
  readonly onBug?: (error: unknown) => void;
}

/** Takes in what is too much as well, or the client would not hear the answer; but not without end. */
async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > DRAIN_LIMIT_BYTES) break;
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
  }
  if (size > BODY_LIMIT_BYTES) throw new ValidationError(TOO_LARGE, 'the body is over 1 MiB', []);
  return Buffer.concat(chunks);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await collect(request);
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString()) as unknown;
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
  static async start(options: LocalApiServerOptions): Promise<LocalApiServer> {
    const { socketPath } = options;
    await mkdir(dirname(socketPath), { recursive: true });
    await refuseLiveServer(socketPath);
    await rm(socketPath, { force: true });
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void respond(options, request, response);
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
  { routes, onBug }: LocalApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answer: LocalAnswer;
  let allow = {};
  try {
    const { route, parameters } = findRoute(routes, request.method ?? 'GET', request.url ?? '/');
    answer = await route.answer({ parameters, body: await readBody(request) });
  } catch (error) {
    if (!(error instanceof CalicoError)) onBug?.(error);
    if (error instanceof MethodError) allow = { allow: error.allowed.join(', ') };
    answer = failureAnswer(error);
  }
  // Who still sends what nobody reads would wait for ever: the connection ends with the answer.
  const ends = request.complete ? {} : { connection: 'close' };
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...allow, ...ends });
  response.end(`${JSON.stringify(answer.body)}\n`);
}
