import { type IncomingMessage, request } from 'node:http';
import * as v from 'valibot';
import { CalicoError, NotFoundError, UnavailableError, UnsupportedError, visibleText } from '../base/errors.js';

const TIMEOUT_MS = 20_000;
/** The longest answer taken: a host with thousands of containers stays well below. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

const refusal = v.object({ message: v.string() });

interface Place {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

function placeOf(address: string): Place {
  if (address.startsWith('/')) return { socketPath: address };
  const socketPath = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, host, port] = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+):(\d{1,5})\/?$/.exec(address) ?? [];
  if (host !== undefined) return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  throw new UnsupportedError('ERR_CALI_DOCKER_HOST', 'docker-host', `"${address}" is no address of a Docker engine`, {
    where: { field: 'DOCKER_HOST' },
    hint: 'write unix:///var/run/docker.sock or tcp://ADDRESS:PORT',
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens',
  EACCES: 'you may not connect',
};

function whyUnreachable(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? String(cause.code) : '';
  return REASONS[code] ?? cause.message;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** HTTP with a Docker engine, a connection for each question; what fails is told as `DockerEngine` says. */
export class EngineConnection {
  /** `/var/run/docker.sock` or `tcp://192.0.2.1:2375`. */
  readonly address: string;
  readonly #place: Place;

  /** @throws {UnsupportedError} `ERR_CALI_DOCKER_HOST` the address is neither a unix socket nor plain TCP */
  constructor(address: string) {
    this.address = address.replace(/^unix:\/\//, '');
    this.#place = placeOf(address);
  }

  /** The answer, as the schema has it. */
  async read<T>(schema: v.GenericSchema<unknown, T>, path: string, options: CallOptions): Promise<T> {
    const response = await this.#open(path, options);
    const body = await this.#body(response);
    if (response.statusCode !== 200) this.#refuse(path, response.statusCode, body);
    return this.#parse(schema, path, body);
  }

  /** An answer without end: its lines, each as the schema has it. Ends quietly when the signal aborts. */
  async *follow<T>(schema: v.GenericSchema<unknown, T>, path: string, signal: AbortSignal): AsyncGenerator<T> {
    try {
      const response = await this.#open(path, { signal, isEndless: true });
      if (response.statusCode !== 200) this.#refuse(path, response.statusCode, await this.#body(response));
      for await (const line of linesOf(response)) yield this.#parse(schema, path, line);
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof CalicoError ? error : this.#unreachable(error);
    }
    if (!signal.aborted) throw this.#unreachable(undefined);
  }

  #parse<T>(schema: v.GenericSchema<unknown, T>, path: string, body: string): T {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch (cause) {
      throw this.#strange(path, 'no JSON', cause);
    }
    const read = v.safeParse(schema, value);
    if (read.success) return read.output;
    throw this.#strange(path, read.issues.map(({ message }) => message).join('; '), undefined);
  }

  #refuse(path: string, status: number | undefined, body: string): never {
    let message = `status ${status}`;
    try {
      const read = v.safeParse(refusal, JSON.parse(body));
      if (read.success) message = visibleText(read.output.message);
    } catch {
      // The status says enough where the body is no JSON.
    }
    if (status === 404) throw new NotFoundError('ERR_CALI_DOCKER_NOT_FOUND', message);
    throw new CalicoError('ERR_CALI_DOCKER_REFUSED', `the Docker engine refuses ${path.split('?')[0]}: ${message}`);
  }

  #strange(path: string, what: string, cause: unknown): CalicoError {
    return new CalicoError(
      'ERR_CALI_DOCKER_ANSWER',
      `${this.address} answers ${path.split('?')[0]} as no Docker engine does: ${what}`,
      {
        cause,
      },
    );
  }

  #unreachable(cause: unknown): UnavailableError {
    const why = whyUnreachable(cause);
    return new UnavailableError('ERR_CALI_DOCKER_UNREACHABLE', `no Docker engine answers on ${this.address}: ${why}`, {
      hint: 'start it (systemctl start docker), or name its socket in DOCKER_HOST',
      cause,
    });
  }

  #open(
    path: string,
    { signal, isEndless = false }: CallOptions & { readonly isEndless?: boolean },
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...this.#place,
          path,
          agent: false,
          headers: { host: 'docker', accept: 'application/json' },
          ...(isEndless ? {} : { timeout: TIMEOUT_MS }),
          ...(signal === undefined ? {} : { signal }),
        },
        resolve,
      );
      asked.once('timeout', () => asked.destroy(new Error(`no answer to ${path} for ${TIMEOUT_MS / 1000} s`)));
      asked.once('error', (error) => {
        const reason: unknown = signal?.aborted === true ? signal.reason : this.#unreachable(error);
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      });
      asked.end();
    });
  }

  async #body(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > ANSWER_LIMIT_BYTES) throw new Error('the answer is over 64 MiB');
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#unreachable(error);
    }
    return Buffer.concat(chunks).toString();
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}
