import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
} from '@grpc/grpc-js';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { EtcdConfig } from './config.js';
import type { WatchRequest, WatchResponse } from './generated/etcd.js';
import { watchMethod } from './methods.js';
import { hostOf, readTlsMaterial } from './tls-material.js';

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

export type WatchStream = ClientDuplexStream<WatchRequest, WatchResponse>;

function credentialsFor(endpoint: string, config: EtcdConfig): ChannelCredentials {
  if (!endpoint.startsWith('https:')) return credentials.createInsecure();
  const { ca, key, cert } = readTlsMaterial(config);
  const tls = credentials.createSsl(ca, key, cert, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(hostOf(endpoint), certificate),
  });
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

/** Streams of watches to one endpoint, over grpc-js; loaded only by those who watch. */
export class WatchChannel {
  readonly endpoint: string;
  readonly #client: Client;

  constructor(endpoint: string, config: EtcdConfig) {
    this.endpoint = endpoint;
    this.#client = dial(endpoint, config);
  }

  open(token: string | undefined): WatchStream {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('token', token);
    const { path, serialize, deserialize } = watchMethod;
    return this.#client.makeBidiStreamRequest(path, serialize, deserialize, metadata, {});
  }

  close(): void {
    this.#client.close();
  }
}
