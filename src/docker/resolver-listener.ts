import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Clock } from '../base/clock.js';
import { openInetSocket } from '../sys/inet-socket.js';
import { NetworkNamespace } from '../sys/namespace.js';
import { CODE, decodeQuery, type DnsQuery, encodeAnswer } from './dns-message.js';
import { EngineQuestions } from './engine-questions.js';
import type { Resolution } from './resolver.js';
import { intercept, OWN_QUESTIONS_MARK } from './resolver-intercept.js';
import { StreamListener } from './resolver-stream.js';

const LOOPBACK = [127, 0, 0, 1] as const;
/** An engine waits for the resolvers that it asks in turn; programs ask again after five seconds. */
const ENGINE_PATIENCE_MS = 4_000;
/** An engine knows its own containers in about one millisecond. */
const FOREIGN_PATIENCE_MS = 50;

export interface ListenerOptions {
  /** Path of the container's network namespace. */
  readonly sandbox: string;
  readonly resolve: (query: DnsQuery) => Resolution;
  readonly clock: Clock;
}

/**
 * Listens inside a container's network namespace to what it asks the engine, answers what we know and hands on the rest: the engine asks
 * whom it would have asked, from where it would have. Nothing listens outside the container.
 */
export class ResolverListener implements Disposable {
  readonly #resolve: ListenerOptions['resolve'];
  readonly #parts = new DisposableParts();
  readonly #socket: Socket;
  #questions: EngineQuestions | undefined;

  private constructor(options: ListenerOptions) {
    this.#resolve = options.resolve;
    this.#socket = createSocket('udp4');
    this.#parts.add({ [Symbol.dispose]: () => this.#socket.close() });
    this.#socket.on('message', (bytes, from) => void this.#hear(bytes, from));
    // An answer that nobody waits for any more is refused; that is no failure of the socket.
    this.#socket.on('error', () => undefined);
  }

  /** @throws {KernelError} ENOENT or EINVAL: the namespace is not there (yet); others: this kernel cannot */
  static async open(options: ListenerOptions): Promise<ResolverListener> {
    using namespace = NetworkNamespace.open(options.sandbox);
    const listener = new ResolverListener(options);
    try {
      await listener.#start(namespace, options);
      return listener;
    } catch (error) {
      listener[Symbol.dispose]();
      throw error;
    }
  }

  async #start(namespace: NetworkNamespace, { sandbox, resolve, clock }: ListenerOptions): Promise<void> {
    const heard = namespace.run(() => openInetSocket({ type: 'udp', address: LOOPBACK }));
    this.#socket.bind({ fd: heard.fd });
    const asking = namespace.run(() => openInetSocket({ type: 'udp', address: LOOPBACK, mark: OWN_QUESTIONS_MARK }));
    this.#questions = this.#parts.add(await EngineQuestions.over(asking.fd, clock));
    const stream = this.#parts.add(await StreamListener.open({ namespace, sandbox, resolve }));
    this.#parts.add(await intercept(namespace, { udp: heard.port, tcp: stream.port }));
  }

  async #hear(bytes: Buffer, from: RemoteInfo): Promise<void> {
    // A program that makes its packets itself can ask from no port at all, where nothing can be sent to.
    if (from.port === 0) return;
    const answer = await this.#answer(bytes);
    if (answer !== undefined && !this.#parts.isDisposed) this.#socket.send(answer, from.port, from.address);
  }

  async #answer(bytes: Buffer): Promise<Buffer | undefined> {
    const query = decodeQuery(bytes);
    if (query === undefined) return this.#questions?.ask(bytes, ENGINE_PATIENCE_MS);
    const resolution = this.#resolve(query);
    if (resolution.by === 'us') return encodeAnswer(query, resolution.answers);
    if (resolution.by === 'engine') {
      const answer = await this.#questions?.ask(bytes, ENGINE_PATIENCE_MS);
      return answer ?? encodeAnswer(query, { code: CODE.serverFailure });
    }
    const answer = await this.#questions?.ask(bytes, FOREIGN_PATIENCE_MS);
    return answer !== undefined && isWord(answer) ? answer : encodeAnswer(query, { code: CODE.noSuchName });
  }

  [Symbol.dispose](): void {
    this.#parts[Symbol.dispose]();
  }
}

/** Whether the engine said something of the name, rather than that it cannot tell. */
function isWord(answer: Buffer): boolean {
  const code = answer.readUInt16BE(2) & 0xf;
  return code === CODE.noError || code === CODE.noSuchName;
}

/** Closed together, in reverse order, once. */
class DisposableParts implements Disposable {
  #parts: Disposable[] = [];
  isDisposed = false;

  add<T extends Disposable>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  [Symbol.dispose](): void {
    this.isDisposed = true;
    for (const part of this.#parts.splice(0).toReversed()) part[Symbol.dispose]();
  }
}
