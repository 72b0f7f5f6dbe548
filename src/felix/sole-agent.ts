import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { CalicoError } from '../base/errors.js';

/** The agent of a host listens here, for no other purpose than to be found. Only root may connect. */
export const AGENT_SOCKET = '/var/run/calico/felix.sock';

const ANSWER_MS = 2_000;

/** What listens there says of itself; undefined when nobody does. */
function whoIsThere(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('connect', () => (text = ' '));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    // ENOENT, ECONNREFUSED: the file, if there is one, is a leftover.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text === '' ? undefined : text.trim()));
  });
}

/** The right to program this host's kernel: two agents would undo each other's work. The kernel takes it back when the process ends. */
export class SoleAgent implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param program what to tell others
   * @throws {CalicoError} `ERR_CALI_FELIX_RUNNING` another agent runs on this host
   */
  static async claim(program: string, path: string = AGENT_SOCKET): Promise<SoleAgent> {
    const other = await whoIsThere(path);
    if (other !== undefined) {
      throw new CalicoError('ERR_CALI_FELIX_RUNNING', `${other} programs this host already`, {
        hint: `stop it first, or leave ${program} out: two agents would undo each other's work`,
      });
    }
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(`${program} (pid ${process.pid})`);
    });
    await new Promise<void>((resolve, reject) => {
      const umask = process.umask(0o177);
      server.once('error', (cause) =>
        reject(new CalicoError('ERR_CALI_FELIX_RUNNING', `cannot listen on ${path}: ${cause.message}`, { cause })),
      );
      server.listen(path, resolve);
      process.umask(umask);
    });
    // It keeps nobody running.
    server.unref();
    return new SoleAgent(server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
