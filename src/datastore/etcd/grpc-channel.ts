import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import {
  frameMessage,
  GRPC_CANCELLED,
  GRPC_DEADLINE_EXCEEDED,
  GRPC_INTERNAL,
  GRPC_UNAVAILABLE,
  GrpcError,
  hasUnsentCode,
  MessageReader,
  statusOf,
} from './grpc-message.js';
import { GrpcSession, type TlsOptions } from './grpc-session.js';

export interface UnaryCall {
  /** `/etcdserverpb.KV/Range` */
  readonly path: string;
  readonly message: Buffer;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface StreamCall {
  readonly path: string;
  readonly token: string | undefined;
  readonly onMessage: (message: Buffer) => void;
  /** Once, whatever the reason; undefined when the server ended it in peace. */
  readonly onEnd: (error: GrpcError | undefined) => void;
}

/** An open stream, from the client's side. */
export interface GrpcStream {
  send(message: Buffer): void;
  cancel(): void;
}

const RECEIVE_LIMIT_BYTES = 64 * 2 ** 20;

/** What an HTTP/2 stream amounts to. */
interface Course {
  readonly isStream: boolean;
  readonly onMessage: (message: Buffer) => void;
  readonly onEnd: (error: GrpcError | undefined) => void;
}

/** A stream and the way to give it up with a reason of ours. */
interface Running {
  readonly stream: ClientHttp2Stream;
  readonly giveUp: (error: GrpcError) => void;
}

/**
 * gRPC to one endpoint over an HTTP/2 connection of our own: single calls and streams. The usual client does the same with six times
 * the start-up time, twice the memory and half the calls a second, which counts for a command line, for the agent and for IPAM.
 *
 * Connects with the first call. A connection that the server ended in peace is replaced; after a failure, make another channel.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class GrpcChannel {
  readonly #endpoint: string;
  readonly #tls: TlsOptions | undefined;
  #session: GrpcSession | undefined;

  /** @param endpoint `http://HOST:PORT`, `https://HOST:PORT` or `unix:///PATH` */
  constructor(endpoint: string, tls?: TlsOptions) {
    this.#endpoint = endpoint;
    this.#tls = tls;
  }

  /** @throws {GrpcError} */
  async call(call: UnaryCall): Promise<Buffer> {
    try {
      return await this.#callOnce(call);
    } catch (error) {
      // The connection ended before the call left: nothing happened, so a new one may take it.
      const mayLeaveNow = error instanceof GrpcError ? error.isUnsent && !error.isUnreached : hasUnsentCode(error);
      if (!mayLeaveNow) throw error;
      this.#session = undefined;
      return this.#callOnce(call);
    }
  }

  openStream({ path, token, onMessage, onEnd }: StreamCall): GrpcStream {
    const { stream } = this.#begin(path, token === undefined ? {} : { token }, { isStream: true, onMessage, onEnd });
    return {
      send: (message) => {
        if (!stream.closed && !stream.destroyed) stream.write(frameMessage(message));
      },
      cancel: () => stream.close(constants.NGHTTP2_CANCEL),
    };
  }

  /** Ends the connection once what runs on it has ended. */
  retire(): void {
    this.#session?.http2.close();
    this.#session = undefined;
  }

  /** Ends the connection and what runs on it. */
  close(): void {
    this.#session?.http2.destroy();
    this.#session = undefined;
  }

  #callOnce({ path, message, token, timeoutMs, signal }: UnaryCall): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const answers: Buffer[] = [];
      const headers = { 'grpc-timeout': `${timeoutMs}m`, ...(token === undefined ? {} : { token }) };
      const { stream, giveUp } = this.#begin(path, headers, {
        isStream: false,
        onMessage: (answer) => answers.push(answer),
        onEnd: (error) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          const [answer] = answers;
          if (error !== undefined) reject(error);
          else if (answer === undefined) reject(new GrpcError(GRPC_INTERNAL, 'an answer that cannot be read'));
          else resolve(answer);
        },
      });
      const timer = setTimeout(() => giveUp(new GrpcError(GRPC_DEADLINE_EXCEEDED, 'no answer in time')), timeoutMs);
      const abort = (): void => giveUp(new GrpcError(GRPC_CANCELLED, 'aborted'));
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort, { once: true });
      stream.end(frameMessage(message));
    });
  }

  #begin(path: string, headers: Readonly<Record<string, string>>, course: Course): Running {
    if (this.#session?.isUsable !== true) this.#session = new GrpcSession(this.#endpoint, this.#tls);
    const session = this.#session;
    const stream = session.http2.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const release = session.hold(course.isStream);
    const reader = new MessageReader(RECEIVE_LIMIT_BYTES);
    let status: GrpcError | 'ok' | undefined;
    let failure: GrpcError | undefined;
    const giveUp = (error: GrpcError): void => {
      failure ??= error;
      stream.close(constants.NGHTTP2_CANCEL);
    };
    stream.on('response', (response) => {
      status = statusOf(response);
      const http = response[':status'];
      if (http !== 200) giveUp(new GrpcError(GRPC_UNAVAILABLE, `HTTP status ${http}`));
    });
    stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      status = statusOf(trailers);
    });
    stream.on('data', (chunk: Buffer) => {
      if (failure !== undefined) return;
      try {
        for (const message of reader.push(chunk)) course.onMessage(message);
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        giveUp(error);
      }
    });
    // The server has said all: what we might still say goes nowhere.
    stream.once('end', () => stream.end());
    stream.on('error', (cause: Error) => {
      // A refused stream was not looked at (RFC 9113, section 8.7).
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      const fate = session.hasConnected ? (isRefused ? 'unsent' : 'sent') : 'unreached';
      failure ??= new GrpcError(GRPC_UNAVAILABLE, session.brokenBecause ?? cause.message, cause, fate);
    });
    stream.once('close', () => {
      release();
      const unsaid = new GrpcError(GRPC_UNAVAILABLE, session.brokenBecause ?? 'connection ended');
      course.onEnd(failure ?? (status === 'ok' ? undefined : (status ?? unsaid)));
    });
    return { stream, giveUp };
  }
}
