import { connect, type Socket } from 'node:net';
import { type Clock, systemClock, type Timer } from '../base/clock.js';
import { CalicoError, UnavailableError } from '../base/errors.js';
import {
  type BirdProtocol,
  type BirdReply,
  BirdReplyParser,
  type BirdRoute,
  type BirdStatus,
  readProtocols,
  readRoutes,
  readStatus,
} from './bird-replies.js';

export interface BirdControlOptions {
  /** How long each answer may take; default 2 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

interface Waiting {
  readonly command: string;
  readonly timer: Timer;
  readonly resolve: (reply: BirdReply) => void;
  readonly reject: (error: Error) => void;
}

/** Codes from here on are failures. */
const FIRST_ERROR_CODE = 8000;

/**
 * A connection to BIRD's control socket. Commands may overlap: they are answered in their order. A reply that does not come in time ends
 * the connection, because what came later could not be told from it.
 */
export class BirdControl {
  /** Resolves when the connection ends, from whichever side: as long as BIRD lives it does not end it. */
  readonly closed: Promise<void>;
  readonly #socketPath: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting[] = [];

  private constructor(socketPath: string, { clock = systemClock, timeoutMs = 2_000 }: BirdControlOptions) {
    this.#socketPath = socketPath;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#socket = connect(socketPath);
    this.#socket.setEncoding('utf8');
    const parser = new BirdReplyParser();
    this.#socket.on('data', (text: string) => parser.push(text).forEach((reply) => this.#answer(reply)));
    let cause: Error | undefined;
    this.#socket.on('error', (error) => {
      cause = error;
    });
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        for (const each of this.#waiting.splice(0)) {
          each.timer.cancel();
          each.reject(this.#unavailable(cause?.message ?? 'it ended the connection', cause));
        }
        resolve();
      });
    });
  }

  /**
   * Connects and waits for the greeting.
   *
   * @throws {UnavailableError} `ERR_CALI_BIRD_UNAVAILABLE` nobody listens, or nobody answers
   */
  static async open(socketPath: string, options: BirdControlOptions = {}): Promise<BirdControl> {
    const control = new BirdControl(socketPath, options);
    await control.#next('its greeting');
    return control;
  }

  async status(): Promise<BirdStatus> {
    return readStatus(await this.request('show status'));
  }

  async protocols(): Promise<readonly BirdProtocol[]> {
    return readProtocols(await this.request('show protocols'));
  }

  /** Everything BIRD knows: its own blocks, what the kernel holds, what peers said. */
  async routes(): Promise<readonly BirdRoute[]> {
    return readRoutes(await this.request('show route'));
  }

  /**
   * Takes a new configuration over; sessions that it does not change stay up.
   *
   * @param file without double quotes and line ends
   * @throws {CalicoError} `ERR_CALI_BIRD_REFUSED` with BIRD's reason; the old configuration stays
   */
  async configure(file: string): Promise<void> {
    await this.request(`configure "${file}"`);
  }

  /** Asks BIRD to end. */
  async shutDown(): Promise<void> {
    await this.request('down');
  }

  /** @throws {CalicoError} `ERR_CALI_BIRD_REFUSED`, `ERR_CALI_BIRD_UNAVAILABLE` */
  async request(command: string): Promise<BirdReply> {
    if (/[\n\r]/.test(command)) throw new CalicoError('ERR_CALI_BIRD_REFUSED', 'a command to BIRD is one line');
    const answer = this.#next(command);
    this.#socket.write(`${command}\n`);
    const reply = await answer;
    if (reply.code < FIRST_ERROR_CODE) return reply;
    throw new CalicoError('ERR_CALI_BIRD_REFUSED', `BIRD refuses "${command}": ${reply.lines.at(-1)?.text ?? ''}`);
  }

  /** Ends the connection, not BIRD. */
  async close(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  #next(command: string): Promise<BirdReply> {
    if (this.#socket.destroyed) return Promise.reject(this.#unavailable('the connection has ended'));
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#timeoutMs, () => {
        this.#socket.destroy(new Error(`no answer to "${command}" in ${this.#timeoutMs / 1_000} s`));
      });
      this.#waiting.push({ command, timer, resolve, reject });
    });
  }

  #answer(reply: BirdReply): void {
    const first = this.#waiting.shift();
    first?.timer.cancel();
    first?.resolve(reply);
  }

  #unavailable(why: string, cause?: unknown): UnavailableError {
    return new UnavailableError('ERR_CALI_BIRD_UNAVAILABLE', `cannot speak with BIRD at ${this.#socketPath}: ${why}`, {
      cause,
    });
  }
}
