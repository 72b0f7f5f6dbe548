import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { CalicoError } from '../../base/errors.js';
import { Interruption } from '../interruption.js';

/** More than ten times what 100,000 policies take. */
export const TEXT_LIMIT_BYTES = 256 * 2 ** 20;
const CHUNK_BYTES = 256 * 1024;
const POLL_MS = 20;
/** How long a named pipe may have nobody at its other end. */
const WRITER_WAIT_MS = 10_000;

function refuse(name: string, why: string, hint?: string): CalicoError {
  const message = `failed to execute command: cannot read "${name}": ${why}`;
  return new CalicoError('ERR_CALI_CLI_FILE', message, hint === undefined ? {} : { hint });
}

/** Collects bytes as long as they are few enough. */
class Collected {
  readonly #name: string;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > TEXT_LIMIT_BYTES) {
      throw refuse(this.#name, `it is too large: at most ${TEXT_LIMIT_BYTES} bytes are read`, 'split it');
    }
    this.#chunks.push(chunk);
  }

  text(): string {
    return decodeText(this.#name, Buffer.concat(this.#chunks));
  }
}

/** Where the first bytes stand that no character is written as. */
function badPlace(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let from = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, from);
    const piece = bytes.subarray(from, end < 0 ? bytes.length : end);
    try {
      decoder.decode(piece);
    } catch {
      return `line ${line}`;
    }
    if (end < 0) return 'its end';
    line += 1;
    from = end + 1;
  }
}

/** @throws {CalicoError} `ERR_CALI_CLI_FILE` it is not UTF-8 */
export function decodeText(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse(name, `it is not UTF-8 text: see ${badPlace(bytes)}`);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}

/**
 * The text of a file, a device or a pipe, in bounded memory. A named pipe is given some seconds for its writer to come; one that has come
 * is waited for.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_FILE` it is too large, not UTF-8, a pipe that nobody writes to, or the signal came; what the
 *   system says as it is
 */
export async function readTextFile(path: string, signal?: AbortSignal): Promise<string> {
  try {
    return await readAll(path, signal);
  } catch (error) {
    throw signal?.aborted === true ? new Interruption(error) : error;
  }
}

async function readAll(path: string, signal: AbortSignal | undefined): Promise<string> {
  const isNamedPipe = (await lstat(path)).isFIFO();
  // Opening a pipe would otherwise wait for its writer where nobody could interrupt it.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const collected = new Collected(path);
  const deadlineMs = performance.now() + WRITER_WAIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    let isWaiting = false;
    try {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead > 0) collected.add(buffer.subarray(0, bytesRead));
      else if (!isNamedPipe || !collected.isEmpty) return collected.text();
      else if (performance.now() > deadlineMs) throw refuse(path, 'it is a pipe, and nobody writes to it');
      else isWaiting = true;
    } catch (error) {
      if (!isBusy(error)) throw error;
      isWaiting = true;
    }
    if (isWaiting) await sleepMs(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

/** The same of what somebody sends us: standard input, which a person at a terminal may think better of. */
export async function readTextStream(
  name: string,
  stream: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<string> {
  const collected = new Collected(name);
  if (signal !== undefined && stream instanceof Readable) addAbortSignal(signal, stream);
  try {
    for await (const chunk of stream) collected.add(chunk);
  } catch (error) {
    throw signal?.aborted === true ? new Interruption(error) : error;
  }
  return collected.text();
}
