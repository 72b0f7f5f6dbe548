import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

const STATUS = [
  '1000-BIRD 2.0.12',
  '1011-Router ID is 192.0.2.1',
  ' Hostname is calico-01',
  ' Current server time is 2026-01-01 12:00:00.000',
  ' Last reboot on 2026-01-01 11:00:00.000',
  ' Last reconfiguration on 2026-01-01 11:30:00.000',
  '0013 Daemon is up and running',
  '',
].join('\n');

/**
 * The control socket of a BIRD that is not there, with its reply codes: 0xxx done, 1xxx data, 8xxx and 9xxx refused.
 *
 * @see BIRD's doc/reply_codes
 */
export class FakeControlSocket {
  /** What was said to it, in order. */
  readonly commands: string[] = [];
  /** Answers given instead of the usual ones, by the command's first word; `undefined` keeps silent. */
  readonly answers = new Map<string, string | undefined>();
  /** Undefined: it accepts and says nothing. */
  greeting: string | undefined = '0001 BIRD 2.0.12 ready.\n';
  readonly #path: string;
  #server: Server | undefined;
  readonly #connections = new Set<Socket>();

  constructor(path: string) {
    this.#path = path;
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#path, resolve);
    });
  }

  /** As a killed one, but for the socket's file: connections end, nobody answers. */
  async die(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const connection of this.#connections) connection.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    await rm(this.#path, { force: true });
  }

  /** Says something that nobody asked for. */
  say(text: string): void {
    for (const connection of this.#connections) connection.write(text);
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    socket.setEncoding('utf8');
    // The other side may go while we answer.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    if (this.greeting !== undefined) socket.write(this.greeting);
    let rest = '';
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(socket, line);
    });
  }

  #hear(socket: Socket, command: string): void {
    this.commands.push(command);
    const [verb = ''] = command.split(' ');
    const answer = this.answers.has(verb) ? this.answers.get(verb) : usualAnswer(command);
    if (answer !== undefined) socket.write(answer);
    if (verb === 'down') socket.end(() => void this.die());
  }
}

function usualAnswer(command: string): string {
  const file = /^configure "(.*)"$/.exec(command)?.[1];
  if (file !== undefined) return `0002-Reading configuration from ${file}\n0003 Reconfigured\n`;
  if (command === 'show status') return STATUS;
  if (command === 'down') return '0007 Shutdown requested\n';
  return '9001 syntax error, unexpected CF_SYM_UNDEFINED\n';
}
