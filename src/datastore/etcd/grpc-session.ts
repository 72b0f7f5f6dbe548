import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'checkServerIdentity' | 'servername'>;

/** A page of a list fits without waiting for window updates. */
const WINDOW_BYTES = 8 * 2 ** 20;
// The server ends connections that ping more often than every 5 s, or without a stream (GOAWAY too_many_pings).
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;

function openSocket(endpoint: string, tls: TlsOptions | undefined): Socket {
  if (endpoint.startsWith('unix:')) return connectTcp({ path: endpoint.replace(/^unix:\/\//, '') });
  const { hostname, port } = new URL(endpoint);
  // A URL drops the port that its scheme implies.
  const implied = endpoint.startsWith('https:') ? 443 : 80;
  const socket = connectTcp({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? implied : Number(port),
    noDelay: true,
  });
  if (tls === undefined) return socket;
  const secure = connectTls({ ...tls, socket, ALPNProtocols: ['h2'] });
  // A server that ends TLS after the handshake, as one does that refuses our certificate, would leave the one below open.
  secure.once('close', () => socket.destroy());
  secure.once('error', () => socket.destroy());
  return secure;
}

/**
 * One HTTP/2 connection. Keeps the process alive while something runs on it, and looks after the server by pings only while a stream
 * is open: a stopped server says nothing by itself.
 */
export class GrpcSession {
  readonly http2: ClientHttp2Session;
  #error: Error | undefined;
  #isLeaving = false;
  #hasConnected = false;
  #held = 0;
  #streams = 0;
  #pinging: NodeJS.Timeout | undefined;
  #unanswered: NodeJS.Timeout | undefined;

  /** @param endpoint `http://HOST:PORT`, `https://HOST:PORT` or `unix:///PATH` */
  constructor(endpoint: string, tls: TlsOptions | undefined) {
    const socket = openSocket(endpoint, tls);
    this.http2 = connect(endpoint.startsWith('https:') ? 'https://localhost' : 'http://localhost', {
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      createConnection: () => socket,
    });
    this.http2.once('connect', () => {
      this.#hasConnected = true;
      // Who opened it may have closed it again before it stood.
      if (!this.http2.destroyed) this.http2.setLocalWindowSize(WINDOW_BYTES);
    });
    this.http2.once('error', (error: Error) => {
      this.#error = error;
    });
    // The server is leaving: what runs may end, what comes takes a new connection.
    this.http2.once('goaway', () => {
      this.#isLeaving = true;
      this.http2.close();
    });
    this.http2.once('close', () => {
      clearInterval(this.#pinging);
      clearTimeout(this.#unanswered);
      socket.destroy();
    });
  }

  get isUsable(): boolean {
    return !this.#isLeaving && !this.http2.closed && !this.http2.destroyed;
  }

  /** False as long as nothing can have left. */
  get hasConnected(): boolean {
    return this.#hasConnected;
  }

  /** Why it broke, as the operating system or TLS says; undefined when nobody said. */
  get brokenBecause(): string | undefined {
    return this.#error?.message;
  }

  /** Something runs on it from now on. @returns to be called when it has ended */
  hold(isStream: boolean): () => void {
    this.#held += 1;
    this.http2.ref();
    if (isStream) this.#watchOver();
    return () => {
      this.#held -= 1;
      if (isStream) this.#forgetStream();
      if (this.#held === 0 && !this.http2.destroyed) this.http2.unref();
    };
  }

  #watchOver(): void {
    this.#streams += 1;
    this.#pinging ??= setInterval(() => this.#ping(), PING_INTERVAL_MS).unref();
  }

  #forgetStream(): void {
    this.#streams -= 1;
    if (this.#streams > 0) return;
    clearInterval(this.#pinging);
    this.#pinging = undefined;
  }

  #ping(): void {
    if (this.http2.destroyed) return;
    const lost = (): void => this.http2.destroy(new Error('keepalive: no answer to a ping'));
    clearTimeout(this.#unanswered);
    this.#unanswered = setTimeout(lost, PING_TIMEOUT_MS);
    this.http2.ping(() => clearTimeout(this.#unanswered));
  }
}
