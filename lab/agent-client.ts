import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { CalicoError } from '../src/base/errors.js';
import { jsonLines } from './agent-protocol.js';
import type { AgentAnswer, AgentRequest } from './agent-protocol.js';
import { until } from './processes.js';

/** The lab's end of the connection to the program in one workload. */
export class AgentClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: AgentAnswer) => void>();
  #next = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const fail = (): void => {
      for (const [id, resolve] of this.#waiting) resolve({ id, ok: false, why: 'the workload is gone' });
      this.#waiting.clear();
    };
    socket.on('error', fail);
    socket.on('close', fail);
    socket.on(
      'data',
      jsonLines((value) => {
        const answer = value as AgentAnswer;
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      }),
    );
  }

  /** Connects as soon as the program listens. */
  static async open(path: string): Promise<AgentClient> {
    let socket: Socket | undefined;
    await until(
      `the workload's program at ${path}`,
      () =>
        new Promise((resolve) => {
          const attempt = connect(path);
          attempt.once('connect', () => {
            socket = attempt;
            resolve(true);
          });
          attempt.once('error', () => resolve(false));
        }),
      { everyMs: 5 },
    );
    if (socket === undefined) throw new CalicoError('ERR_CALI_LAB_WORKLOAD', `no connection to ${path}`);
    return new AgentClient(socket);
  }

  ask(request: AgentRequest): Promise<AgentAnswer> {
    const id = this.#next++;
    if (!this.#socket.writable) return Promise.resolve({ id, ok: false, why: 'the workload is gone' });
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.write(`${JSON.stringify({ ...request, id })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
