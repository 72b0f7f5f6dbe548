import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  type ChannelCredentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import type { Random } from '../../base/retry.js';
import { isClosed } from '../errors.js';
import { checkEtcdConfig, describeEndpoint, type EtcdConfig } from './config.js';
import { etcdError, noAnswer, wantsNewToken } from './errors.js';
import type { WatchRequest, WatchResponse } from './generated/etcd.js';
import { authenticateMethod, type Method, watchMethod } from './methods.js';

/** How long a call may take, a connection included; also how long a watch may take to begin. */
export const CALL_TIMEOUT_MS = 5_000;

// The server ends connections that ping more often than every 5 s, or without a stream (GOAWAY too_many_pings).
const CHANNEL_OPTIONS: ClientOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 0,
  'grpc.max_receive_message_length': 64 * 2 ** 20,
  'grpc.max_send_message_length': 64 * 2 ** 20,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // Shared ones would keep their backoff when we come back to an endpoint.
  'grpc.use_local_subchannel_pool': 1,
};

export interface UnaryOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export type WatchStream = ClientDuplexStream<WatchRequest, WatchResponse>;

/** A stream of watches on one endpoint. */
export interface OpenedWatch {
  readonly stream: WatchStream;
  /** The stream broke: leaves the endpoint, says why. */
  readonly toError: (error: ServiceError) => Error;
  /** The server accepts but does not answer: leaves the endpoint. */
  readonly giveUp: () => Error;
}

function readPem(path: string | undefined, inline: string | undefined, what: string): Buffer | null {
  if (path === undefined) return inline === undefined ? null : Buffer.from(inline);
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new CalicoError('ERR_CALI_DATASTORE_CONFIG', `cannot read the ${what} "${path}": ${why}`, {
      hint: 'check ETCD_CA_CERT_FILE, ETCD_CERT_FILE and ETCD_KEY_FILE',
      cause,
    });
  }
}

/** Host of a TCP endpoint, without the brackets of IPv6. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/^https?:\/\/\[?/, '').replace(/\]?:\d+$/, '');
}

function credentialsFor(endpoint: string, config: EtcdConfig): ChannelCredentials {
  if (!endpoint.startsWith('https:')) return credentials.createInsecure();
  const tls = credentials.createSsl(
    readPem(config.caCertFile, config.caCert, 'CA certificate'),
    readPem(config.keyFile, config.key, 'client key'),
    readPem(config.certFile, config.cert, 'client certificate'),
    { checkServerIdentity: (_name, certificate) => checkServerIdentity(hostOf(endpoint), certificate) },
  );
  return closingSockets(tls);
}

/**
 * grpc-js 1.14 leaves the TCP socket open when the server ends TLS after the handshake, as one does that refuses our certificate:
 * two descriptors with every try, until an agent whose certificate expired has none left.
 */
function closingSockets(tls: ChannelCredentials): ChannelCredentials {
  const createSecureConnector = tls._createSecureConnector.bind(tls);
  tls._createSecureConnector = (...parameters) => {
    const connector = createSecureConnector(...parameters);
    const connect = connector.connect.bind(connector);
    connector.connect = async (socket) => {
      const result = await connect(socket);
      result.socket.on('error', () => {
        result.socket.destroy();
        socket.destroy();
      });
      return result;
    };
    return connector;
  };
  return tls;
}

/** What an endpoint needs besides {@link CHANNEL_OPTIONS}. */
function optionsFor(endpoint: string): ClientOptions {
  // The server would see the socket's path as authority.
  if (endpoint.startsWith('unix:')) return { 'grpc.default_authority': 'localhost' };
  // No address may stand in a TLS handshake as server name (RFC 6066, section 3); the certificate is checked for it all the same.
  return isIP(hostOf(endpoint)) === 0 ? {} : { 'grpc.ssl_target_name_override': 'etcd' };
}

function dial(endpoint: string, config: EtcdConfig): Client {
  const target = endpoint.replace(/^https?:\/\//, '').replace(/^unix:\/\//, 'unix:');
  return new Client(target, credentialsFor(endpoint, config), { ...CHANNEL_OPTIONS, ...optionsFor(endpoint) });
}

/**
 * Calls to a cluster through one of its endpoints at a time: the first is drawn, after a failure comes the next. Knows of gRPC,
 * deadlines and tokens, nothing of what the calls mean.
 */
export class EtcdConnection {
  readonly #config: EtcdConfig;
  #index: number;
  #client: Client | undefined;
  #token: Promise<string | undefined> | undefined;
  #closed = false;
  /** What {@link close} must end: gRPC would wait for it. */
  readonly #open = new Set<{ cancel(): void }>();

  /** Connects with the first call. @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` */
  constructor(config: EtcdConfig, random: Random = Math.random) {
    this.#config = checkEtcdConfig(config);
    this.#index = Math.floor(random() * this.#config.endpoints.length);
  }

  /** For messages: `etcd at https://192.0.2.10:2379`. */
  get description(): string {
    return `etcd at ${this.#config.endpoints.map(describeEndpoint).join(', ')}`;
  }

  get endpointCount(): number {
    return this.#config.endpoints.length;
  }

  /**
   * One call. A read that fails for want of a connection is tried once more, at the next endpoint.
   *
   * @throws {UnavailableError} no connection, or no answer in time: a write may have happened
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: UnaryOptions = {},
  ): Promise<Response> {
    options.signal?.throwIfAborted();
    try {
      return await this.#callWithToken(method, request, options);
    } catch (error) {
      const mayRepeat = method.isRead && error instanceof UnavailableError && !this.#closed;
      if (!mayRepeat || options.signal?.aborted === true) throw error;
      return this.#callWithToken(method, request, options);
    }
  }

  /** A stream for watches, with a token of its own: etcd looks at it when a watch begins. */
  async openWatch(): Promise<OpenedWatch> {
    this.#token = undefined;
    const metadata = await this.#metadata();
    const client = this.#connect();
    const endpoint = this.#endpoint;
    const { path, serialize, deserialize } = watchMethod;
    const stream = client.makeBidiStreamRequest(path, serialize, deserialize, metadata, {});
    this.#open.add(stream);
    stream.once('status', () => this.#open.delete(stream));
    return {
      stream,
      toError: (error) => this.#failed(etcdError(error, endpoint), client),
      giveUp: () => this.#failed(noAnswer(endpoint), client),
    };
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#open) call.cancel();
    this.#client?.close();
    this.#client = undefined;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get #endpoint(): string {
    return this.#config.endpoints[this.#index] ?? '';
  }

  #connect(): Client {
    if (this.#closed) throw isClosed(this.description);
    this.#client ??= dial(this.#endpoint, this.#config);
    return this.#client;
  }

  async #callWithToken<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: UnaryOptions,
  ): Promise<Response> {
    const metadata = await this.#metadata();
    try {
      return await this.#unary(method, request, metadata, options);
    } catch (error) {
      if (this.#config.username === undefined || !wantsNewToken(error)) throw error;
      this.#token = undefined;
      return this.#unary(method, request, await this.#metadata(), options);
    }
  }

  #unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    metadata: Metadata,
    options: UnaryOptions,
  ): Promise<Response> {
    const { signal, timeoutMs = CALL_TIMEOUT_MS } = options;
    const client = this.#connect();
    const endpoint = this.#endpoint;
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        method.serialize,
        method.deserialize,
        request,
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          this.#open.delete(call);
          if (signal?.aborted === true) reject(signal.reason as Error);
          else if (error !== null) reject(this.#failed(etcdError(error, endpoint), client));
          else if (response === undefined) reject(isClosed(this.description));
          else resolve(response);
        },
      );
      this.#open.add(call);
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Leaves an endpoint that does not answer. */
  #failed(ours: Error, client: Client): Error {
    if (this.#closed) return isClosed(this.description);
    if (ours instanceof UnavailableError && this.#client === client) {
      client.close();
      this.#client = undefined;
      this.#index = (this.#index + 1) % this.#config.endpoints.length;
    }
    return ours;
  }

  async #metadata(): Promise<Metadata> {
    const metadata = new Metadata();
    if (this.#config.username === undefined) return metadata;
    this.#token ??= this.#authenticate();
    const token = await this.#token;
    if (token !== undefined) metadata.set('token', token);
    return metadata;
  }

  async #authenticate(): Promise<string | undefined> {
    const { username: name = '', password = '' } = this.#config;
    try {
      const { token } = await this.#unary(authenticateMethod, { name, password }, new Metadata(), {});
      return token;
    } catch (error) {
      this.#token = undefined;
      // A cluster that asks nobody who he is serves us as it serves everybody.
      if (error instanceof Error && /authentication is not enabled/.test(error.message)) return undefined;
      throw error;
    }
  }
}
