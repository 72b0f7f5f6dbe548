import { createServer, type Server, Socket } from 'node:net';
import { openInetSocket } from '../sys/inet-socket.js';
import { NetworkNamespace } from '../sys/namespace.js';
import { decodeQuery, type DnsQuery, encodeAnswer } from './dns-message.js';
import type { Resolution } from './resolver.js';
import { DNS_PORT, ENGINE_RESOLVER, OWN_QUESTIONS_MARK } from './resolver-intercept.js';

const LOOPBACK = [127, 0, 0, 1] as const;
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 64;
const LENGTH_BYTES = 2;
const MAX_UNREAD_BYTES = 256 * 1_024;

export interface StreamOptions {
  /** Open while {@link StreamListener.open} runs. */
  readonly namespace: NetworkNamespace;
  /** Where it is found later. */
  readonly sandbox: string;
  readonly resolve: (query: DnsQuery) => Resolution;
}

/** The same over TCP, which programs use for long answers: RFC 1035 section 4.2.2, a length before each message. */
export class StreamListener implements Disposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sandbox: string;
  readonly #resolve: StreamOptions['resolve'];
  readonly #open = new Set<Socket>();

  private constructor(port: number, { sandbox, resolve }: StreamOptions) {
    this.port = port;
    this.#sandbox = sandbox;
    this.#resolve = resolve;
    this.#server = createServer((client) => this.#serve(client));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('error', () => undefined);
  }

  /** @throws {KernelError} */
  static async open(options: StreamOptions): Promise<StreamListener> {
    const { fd, port } = options.namespace.run(() => openInetSocket({ type: 'tcp', address: LOOPBACK }));
    const listener = new StreamListener(port, options);
    await new Promise<void>((resolve) => {
      listener.#server.listen({ fd }, () => resolve());
    });
    return listener;
  }

  #serve(client: Socket): void {
    this.#keep(client);
    let held = Buffer.alloc(0);
    const take = (piece: Buffer): void => {
      held = Buffer.concat([held, piece]);
      while (held.length >= LENGTH_BYTES) {
        const end = LENGTH_BYTES + held.readUInt16BE(0);
        if (held.length < end) return;
        const answer = this.#answer(held.subarray(LENGTH_BYTES, end));
        if (answer === undefined) {
          client.off('data', take);
          // Until the engine is there to hear it, what comes is to wait.
          client.pause();
          this.#handOver(client, held);
          return;
        }
        client.write(answer);
        // It asks and does not listen.
        if (client.writableLength > MAX_UNREAD_BYTES) {
          client.destroy();
          return;
        }
        held = held.subarray(end);
      }
    };
    client.on('data', take);
  }

  /** Undefined: the engine's to answer. */
  #answer(bytes: Buffer): Buffer | undefined {
    const query = decodeQuery(bytes);
    const resolution = query === undefined ? undefined : this.#resolve(query);
    if (query === undefined || resolution?.by !== 'us') return undefined;
    const answer = encodeAnswer(query, resolution.answers);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(answer.length);
    return Buffer.concat([length, answer]);
  }

  /** From here on the two talk to each other. */
  #handOver(client: Socket, held: Buffer): void {
    let fd: number;
    try {
      using namespace = NetworkNamespace.open(this.#sandbox);
      ({ fd } = namespace.run(() => openInetSocket({ type: 'tcp', address: LOOPBACK, mark: OWN_QUESTIONS_MARK })));
    } catch {
      // The container is gone, and who asked with it.
      client.destroy();
      return;
    }
    const engine = new Socket({ fd });
    this.#keep(engine);
    engine.once('close', () => client.destroy());
    client.once('close', () => engine.destroy());
    engine.connect(DNS_PORT, ENGINE_RESOLVER, () => {
      engine.write(held);
      client.pipe(engine);
      engine.pipe(client);
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    // What breaks is closed, and 'close' tells the other side.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#open.delete(socket));
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}
