import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import {
  GRPC_DEADLINE_EXCEEDED,
  GRPC_INTERNAL,
  GRPC_OK,
  GRPC_RESOURCE_EXHAUSTED,
  GRPC_UNAVAILABLE,
  GRPC_UNKNOWN,
  type GrpcFailure,
} from './grpc-status.js';

const UNSENT = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

function hasUnsentCode(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && UNSENT.has(String(cause.code));
}

/** A call that failed, for `etcdError()` to word. */
export class UnaryError extends Error implements GrpcFailure {
  override readonly name = 'UnaryError';
  readonly code: number;
  readonly details: string;
  /** The call reached nobody: it may be made again whatever it does. */
  readonly isUnsent: boolean;

  constructor(code: number, details: string, cause?: unknown, isUnsent = false) {
    super(details, { cause });
    this.code = code;
    this.details = details;
    this.isUnsent = isUnsent || hasUnsentCode(cause);
  }
}

export interface UnaryCall {
  /** `/etcdserverpb.KV/Range` */
  readonly path: string;
  readonly message: Buffer;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'checkServerIdentity' | 'servername'>;

const RECEIVE_LIMIT_BYTES = 64 * 2 ** 20;
/** A page of a list fits without waiting for window updates. */
const WINDOW_BYTES = 8 * 2 ** 20;
/** A flag (0: not compressed) and the message's length. */
const PREFIX_BYTES = 5;

function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX_BYTES);
  return framed;
}

function unframe(chunks: readonly Buffer[]): Buffer {
  const framed = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  const isWhole = framed.length >= PREFIX_BYTES && framed.readUInt32BE(1) === framed.length - PREFIX_BYTES;
  if (!isWhole || framed.readUInt8(0) !== 0) throw new UnaryError(GRPC_INTERNAL, 'an answer that cannot be read');
  return framed.subarray(PREFIX_BYTES);
}

/** grpc-message is percent-encoded; text that is not, is taken as it is. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded after all.
    return text;
  }
}

function statusOf(headers: IncomingHttpHeaders): UnaryError | undefined | 'ok' {
  const text = headers['grpc-status'];
  if (typeof text !== 'string') return undefined;
  const code = Number(text);
  const message = headers['grpc-message'];
  return code === GRPC_OK ? 'ok' : new UnaryError(code, typeof message === 'string' ? decodeMessage(message) : '');
}

function openSocket(endpoint: string, tls: TlsOptions | undefined): Socket {
  if (endpoint.startsWith('unix:')) return connectTcp({ path: endpoint.replace(/^unix:\/\//, '') });
  const { hostname, port } = new URL(endpoint);
  const socket = connectTcp({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), noDelay: true });
  if (tls === undefined) return socket;
  const secure = connectTls({ ...tls, socket, ALPNProtocols: ['h2'] });
  // A server that ends TLS after the handshake, as one does that refuses our certificate, would leave the one below open.
  secure.once('close', () => socket.destroy());
  secure.once('error', () => socket.destroy());
  return secure;
}

/**
 * Unary gRPC calls to one endpoint over an HTTP/2 connection of our own. grpc-js does the same with six times the start-up time and
 * half the calls a second, which counts for a command line and for assigning addresses; streams are left to it.
 *
 * Connects with the first call; after a failure of the connection it is of no more use: make another.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class UnaryChannel {
  readonly #endpoint: string;
  readonly #tls: TlsOptions | undefined;
  #session: ClientHttp2Session | undefined;
  #sessionError: Error | undefined;
  #active = 0;

  /** @param endpoint `http://HOST:PORT`, `https://HOST:PORT` or `unix:///PATH` */
  constructor(endpoint: string, tls?: TlsOptions) {
    this.#endpoint = endpoint;
    this.#tls = tls;
  }

  /** @throws {UnaryError} */
  async call(call: UnaryCall): Promise<Buffer> {
    try {
      return await this.#send(call);
    } catch (error) {
      // The connection ended before the call left: nothing happened, so a new one may take it.
      const isUnsent = error instanceof UnaryError ? error.isUnsent : hasUnsentCode(error);
      if (!isUnsent) throw error;
      this.#session = undefined;
      return this.#send(call);
    }
  }

  #send(call: UnaryCall): Promise<Buffer> {
    const session = this.#connected();
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${call.timeoutMs}m`,
      ...(call.token === undefined ? {} : { token: call.token }),
    });
    this.#active += 1;
    session.ref();
    return this.#answerTo(call, stream).finally(() => {
      this.#active -= 1;
      // An idle connection keeps no process alive.
      if (this.#active === 0 && !session.destroyed) session.unref();
    });
  }

  /** Ends the connection once the running calls have ended. */
  retire(): void {
    this.#session?.close();
  }

  /** Ends the connection and what runs on it. */
  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const socket = openSocket(this.#endpoint, this.#tls);
    const session = connect(this.#endpoint.startsWith('https:') ? 'https://localhost' : 'http://localhost', {
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      createConnection: () => socket,
    });
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    session.once('error', (error: Error) => {
      this.#sessionError = error;
    });
    // The server is leaving: what runs may end, what comes takes a new connection.
    session.once('goaway', () => {
      if (this.#session === session) this.#session = undefined;
      session.close();
    });
    session.once('close', () => socket.destroy());
    this.#session = session;
    this.#sessionError = undefined;
    return session;
  }

  #answerTo({ message, timeoutMs, signal }: UnaryCall, stream: ClientHttp2Stream): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let received = 0;
      let status: UnaryError | undefined | 'ok';
      let failure: UnaryError | undefined;
      const give = (up: UnaryError): void => {
        failure ??= up;
        stream.close(constants.NGHTTP2_CANCEL);
      };
      const timer = setTimeout(() => give(new UnaryError(GRPC_DEADLINE_EXCEEDED, 'no answer in time')), timeoutMs);
      const abort = (): void => give(new UnaryError(GRPC_UNKNOWN, 'aborted'));
      signal?.addEventListener('abort', abort, { once: true });
      stream.on('response', (headers) => {
        status = statusOf(headers);
        if (headers[':status'] !== 200) give(new UnaryError(GRPC_UNAVAILABLE, `HTTP status ${headers[':status']}`));
      });
      stream.on('trailers', (trailers: IncomingHttpHeaders) => {
        status = statusOf(trailers);
      });
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > RECEIVE_LIMIT_BYTES) give(new UnaryError(GRPC_RESOURCE_EXHAUSTED, 'the answer is too large'));
        else chunks.push(chunk);
      });
      stream.on('error', (cause: Error) => {
        // A refused stream was not looked at (RFC 9113, section 8.7).
        const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
        const details = this.#sessionError?.message ?? cause.message;
        failure ??= new UnaryError(GRPC_UNAVAILABLE, details, cause, isRefused);
      });
      stream.once('close', () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        try {
          if (failure !== undefined) throw failure;
          if (status === undefined) throw new UnaryError(GRPC_UNAVAILABLE, this.#sessionError?.message ?? 'GOAWAY');
          if (status !== 'ok') throw status;
          resolve(unframe(chunks));
        } catch (error) {
          reject(error as Error);
        }
      });
      stream.end(frame(message));
    });
  }
}
