import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Timer } from '../base/clock.js';
import { UnavailableError } from '../base/errors.js';
import { DNS_PORT, ENGINE_RESOLVER } from './resolver-intercept.js';

/** More at once than a container's programs have; what comes on top is not asked. */
const MAX_PENDING = 1_000;
const HEADER_LENGTH = 12;

interface Pending {
  readonly id: number;
  readonly timer: Timer;
  settle(answer: Buffer | undefined): void;
}

/** Asks an engine's resolver inside a container, as the container would. */
export class EngineQuestions implements Disposable {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #isClosed = false;

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('message', (answer) => this.#take(answer));
    // Refused: no engine listens there now. What was asked is not answered any more.
    socket.on('error', () => this.#giveUp());
  }

  /**
   * @param fd a bound UDP socket of the container's namespace; closed with this, also after a failure
   * @throws {UnavailableError} `ERR_CALI_DOCKER_UNREACHABLE` the container's routes do not lead to the engine
   */
  static async over(fd: number, clock: Clock): Promise<EngineQuestions> {
    const socket = createSocket('udp4');
    socket.bind({ fd });
    const questions = new EngineQuestions(socket, clock);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.connect(DNS_PORT, ENGINE_RESOLVER, (error?: Error) => (error ? reject(error) : resolve()));
      });
    } catch (cause) {
      questions[Symbol.dispose]();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UnavailableError('ERR_CALI_DOCKER_UNREACHABLE', `a container cannot ask its engine: ${why}`, { cause });
    }
    return questions;
  }

  /** @returns the engine's answer with the question's own id; undefined when there is none in time, or no engine */
  ask(question: Buffer, patienceMs: number): Promise<Buffer | undefined> {
    if (this.#isClosed || this.#pending.size >= MAX_PENDING || question.length < HEADER_LENGTH) {
      return Promise.resolve(undefined);
    }
    const ours = this.#freeId();
    return new Promise((resolve) => {
      const settle = (answer: Buffer | undefined): void => {
        this.#pending.delete(ours);
        timer.cancel();
        resolve(answer);
      };
      const timer = this.#clock.setTimer(patienceMs, () => settle(undefined));
      this.#pending.set(ours, { id: question.readUInt16BE(0), timer, settle });
      const asked = Buffer.from(question);
      asked.writeUInt16BE(ours, 0);
      this.#socket.send(asked, (error) => {
        if (error !== null) settle(undefined);
      });
    });
  }

  #freeId(): number {
    for (;;) {
      const id = randomInt(0x1_0000);
      if (!this.#pending.has(id)) return id;
    }
  }

  #take(answer: Buffer): void {
    if (answer.length < HEADER_LENGTH) return;
    const pending = this.#pending.get(answer.readUInt16BE(0));
    if (pending === undefined) return;
    answer.writeUInt16BE(pending.id, 0);
    pending.settle(answer);
  }

  #giveUp(): void {
    for (const pending of this.#pending.values()) pending.settle(undefined);
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveUp();
    this.#socket.close();
  }
}
