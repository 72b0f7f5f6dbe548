import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { UnavailableError } from '../../base/errors.js';
import type { Random } from '../../base/retry.js';
import { isClosed } from '../errors.js';
import { checkEtcdConfig, type EtcdConfig } from './config.js';
import { type ResolveSrv, resolveSrvBySystem } from './discovery.js';
import { Endpoints } from './endpoints.js';
import { etcdError, noAnswer, wantsNewToken } from './errors.js';
import { GrpcChannel, type GrpcStream } from './grpc-channel.js';
import { GRPC_INTERNAL, GRPC_UNAVAILABLE, GrpcError } from './grpc-message.js';
import type { TlsOptions } from './grpc-session.js';
import type { WatchRequest, WatchResponse } from './generated/etcd.js';
import { authenticateMethod, type Method, watchMethod } from './methods.js';
import { hostOf, readTlsMaterial } from './tls-material.js';

/** How long a call may take, a connection included; also how long a watch may take to begin. */
export const CALL_TIMEOUT_MS = 5_000;

export interface UnaryOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

/** What comes of a stream of watches. */
export interface WatchHandlers {
  readonly onResponse: (response: WatchResponse) => void;
  /** The stream ended by itself: why, in our words. The endpoint is left. */
  readonly onEnd: (error: Error) => void;
}

/** A stream of watches on one endpoint. */
export interface OpenedWatch {
  send(request: WatchRequest): void;
  cancel(): void;
  /** The server accepts but does not answer: leaves the endpoint, says so. */
  giveUp(): Error;
}

function tlsFor(endpoint: string, config: EtcdConfig): TlsOptions | undefined {
  if (!endpoint.startsWith('https:')) return undefined;
  const { ca, key, cert } = readTlsMaterial(config);
  const host = hostOf(endpoint);
  return {
    ...(ca === null ? {} : { ca }),
    ...(key === null ? {} : { key }),
    ...(cert === null ? {} : { cert }),
    // No address may stand in a TLS handshake as server name (RFC 6066, section 3); the certificate is checked for it all the same.
    servername: isIP(host) === 0 ? host : '',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}

export interface EtcdConnectionOptions {
  readonly random?: Random | undefined;
  /** In place of this host's DNS. */
  readonly resolveSrv?: ResolveSrv | undefined;
}

/** There was no connection: whatever was asked, it did not happen. */
function isUnreached(error: unknown): boolean {
  return error instanceof UnavailableError && error.cause instanceof GrpcError && error.cause.isUnreached;
}

/** Asking again may help. */
function mayBeRead(error: unknown): boolean {
  return error instanceof UnavailableError && error.code !== 'ERR_CALI_DATASTORE_DISCOVERY';
}

/** @throws {GrpcError} the bytes are no message of this kind */
function readAnswer<T>(deserialize: (message: Buffer) => T, message: Buffer): T {
  try {
    return deserialize(message);
  } catch (cause) {
    throw new GrpcError(GRPC_INTERNAL, 'an answer that cannot be read', cause);
  }
}

/**
 * Calls to a cluster through one of its endpoints at a time: the first is drawn, after a failure comes the next. Knows of gRPC,
 * deadlines and tokens, nothing of what the calls mean.
 */
export class EtcdConnection {
  readonly #config: EtcdConfig;
  readonly #endpoints: Endpoints;
  #channel: GrpcChannel | undefined;
  #token: Promise<string | undefined> | undefined;
  #closed = false;

  /** Connects with the first call. @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` */
  constructor(config: EtcdConfig, options: EtcdConnectionOptions = {}) {
    this.#config = checkEtcdConfig(config);
    this.#endpoints = new Endpoints(
      this.#config,
      options.random ?? Math.random,
      options.resolveSrv ?? resolveSrvBySystem,
    );
  }

  /** For messages: `etcd at https://192.0.2.10:2379`. */
  get description(): string {
    return this.#endpoints.description;
  }

  get endpointCount(): number {
    return this.#endpoints.count;
  }

  /**
   * One call. Where there is no connection to an endpoint, the next one is asked, each once; a read also where an answer was lost, and
   * twice at least.
   *
   * @throws {UnavailableError} no connection, or no answer in time: a write may have happened
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: UnaryOptions = {},
  ): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      options.signal?.throwIfAborted();
      const attempts = this.#endpoints.count;
      try {
        return await this.#callWithToken(method, request, options);
      } catch (error) {
        const isOver = this.#closed || options.signal?.aborted === true;
        const mayRepeat = method.isRead ? mayBeRead(error) : isUnreached(error);
        if (isOver || !mayRepeat || attempt >= (method.isRead ? Math.max(2, attempts) : attempts)) throw error;
      }
    }
  }

  /** A stream for watches, with a token of its own: etcd looks at it when a watch begins. */
  async openWatch({ onResponse, onEnd }: WatchHandlers): Promise<OpenedWatch> {
    this.#token = undefined;
    await this.#endpoints.ready();
    const token = await this.#currentToken();
    const channel = this.#connect();
    const endpoint = this.#endpoint;
    const { path, serialize, deserialize } = watchMethod;
    const stream: GrpcStream = channel.openStream({
      path,
      token,
      onMessage: (message) => onResponse(readAnswer(deserialize, message)),
      onEnd: (error) => {
        const said = error ?? new GrpcError(GRPC_UNAVAILABLE, 'the watch was ended');
        onEnd(this.#failed(etcdError(said, endpoint), channel));
      },
    });
    return {
      send: (request) => stream.send(serialize(request)),
      cancel: () => stream.cancel(),
      giveUp: () => this.#failed(noAnswer(endpoint), channel),
    };
  }

  close(): void {
    this.#closed = true;
    this.#channel?.close();
    this.#channel = undefined;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get #endpoint(): string {
    return this.#endpoints.current;
  }

  #connect(): GrpcChannel {
    if (this.#closed) throw isClosed(this.description);
    this.#channel ??= new GrpcChannel(this.#endpoint, tlsFor(this.#endpoint, this.#config));
    return this.#channel;
  }

  async #callWithToken<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: UnaryOptions,
  ): Promise<Response> {
    const token = await this.#currentToken();
    try {
      return await this.#unary(method, request, token, options);
    } catch (error) {
      if (this.#config.username === undefined || !wantsNewToken(error)) throw error;
      this.#token = undefined;
      return this.#unary(method, request, await this.#currentToken(), options);
    }
  }

  async #unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    token: string | undefined,
    options: UnaryOptions,
  ): Promise<Response> {
    const { signal, timeoutMs = CALL_TIMEOUT_MS } = options;
    await this.#endpoints.ready();
    const channel = this.#connect();
    const endpoint = this.#endpoint;
    try {
      const message = method.serialize(request);
      const answer = await channel.call({ path: method.path, message, token, timeoutMs, signal });
      return readAnswer(method.deserialize, answer);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof GrpcError ? this.#failed(etcdError(error, endpoint), channel) : error;
    }
  }

  /** Leaves an endpoint that does not answer: the next call goes to the next one. */
  #failed(ours: Error, channel: GrpcChannel): Error {
    if (this.#closed) return isClosed(this.description);
    if (ours instanceof UnavailableError && this.#channel === channel) {
      channel.retire();
      this.#channel = undefined;
      this.#endpoints.leaveCurrent();
    }
    return ours;
  }

  async #currentToken(): Promise<string | undefined> {
    if (this.#config.username === undefined) return undefined;
    this.#token ??= this.#authenticate();
    return this.#token;
  }

  async #authenticate(): Promise<string | undefined> {
    const { username: name = '', password = '' } = this.#config;
    try {
      const { token } = await this.#unary(authenticateMethod, { name, password }, undefined, {});
      return token;
    } catch (error) {
      this.#token = undefined;
      // A cluster that asks nobody who he is serves us as it serves everybody.
      if (error instanceof Error && /authentication is not enabled/.test(error.message)) return undefined;
      throw error;
    }
  }
}
