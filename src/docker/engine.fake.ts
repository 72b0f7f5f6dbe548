import { createServer, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the fake answers on a path (with its query): a value as JSON, or a status with the engine's words. */
export type FakeAnswer = { readonly status: number; readonly message: string } | { readonly value: unknown };

/** A Docker engine's API on a unix socket, as far as a test fills it. */
export class FakeEngine implements AsyncDisposable {
  readonly socketPath: string;
  readonly answers = new Map<string, FakeAnswer>();
  /** Paths asked for, in their order. */
  readonly asked: string[] = [];
  readonly #folder: string;
  readonly #server: Server;
  readonly #listeners = new Set<ServerResponse>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.socketPath = join(folder, 'docker.sock');
    this.#server = createServer((request, response) => this.#answer(request.url ?? '/', response));
  }

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine(await mkdtemp(join(tmpdir(), 'calico-fake-docker-')));
    await new Promise<void>((resolve) => {
      engine.#server.listen(engine.socketPath, resolve);
    });
    return engine;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Sends raw text to everybody who follows the events. */
  say(text: string): void {
    for (const listener of this.#listeners) listener.write(text);
  }

  /** Cuts everybody off. */
  hangUp(): void {
    this.#server.closeAllConnections();
  }

  #answer(url: string, response: ServerResponse): void {
    this.asked.push(url);
    if (url.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      this.#listeners.add(response);
      response.once('close', () => this.#listeners.delete(response));
      return;
    }
    const answer = this.answers.get(url) ?? { status: 404, message: `page not found: ${url}` };
    const isValue = 'value' in answer;
    response.writeHead(isValue ? 200 : answer.status, { 'content-type': 'application/json' });
    const body: unknown = isValue ? answer.value : { message: answer.message };
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await rm(this.#folder, { recursive: true, force: true });
  }
}
