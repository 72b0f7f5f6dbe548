import { readFile, rename, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { Log } from '../base/log.js';

/** Where it is kept over the start of a host. */
export const MEMORY_FILE = '/var/lib/calico/docker.json';

const remembered = v.object({
  scope: v.optional(v.picklist(['global', 'local'])),
  networks: v.optional(v.record(v.string(), v.object({ name: v.string(), mtu: v.optional(v.number()) })), {}),
});

/** What an engine said last. Networks are by their id; neither name nor MTU of one ever changes. */
type Remembered = v.InferOutput<typeof remembered>;

/**
 * What an engine said of itself. While an engine starts it calls us for the containers that it starts again, and answers nobody's questions
 * until they run: at the start of a host only what was kept is known.
 */
export class EngineMemory {
  readonly #file: string;
  readonly #log: Log;
  /** Read once, then changed here. */
  #content: Promise<Remembered> | undefined;
  /** Writes are done one after the other. */
  #written: Promise<void> = Promise.resolve();

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  read(): Promise<Remembered> {
    this.#content ??= this.#load();
    return this.#content;
  }

  /** Keeps it also on the disk, as far as that works. */
  async keep(change: (before: Remembered) => Remembered): Promise<void> {
    const before = this.read();
    const after = before.then(change);
    // At once: the next change begins with this one, also while the file is still being read.
    this.#content = after;
    const text = JSON.stringify(await after);
    if (text === JSON.stringify(await before)) return;
    this.#written = this.#written.then(() => this.#store(text));
    await this.#written;
  }

  async #load(): Promise<Remembered> {
    try {
      const read = v.safeParse(remembered, JSON.parse(await readFile(this.#file, 'utf8')));
      if (read.success) return read.output;
    } catch {
      // Never written, or damaged: as good as unknown.
    }
    return { networks: {} };
  }

  async #store(text: string): Promise<void> {
    try {
      await writeFile(`${this.#file}.new`, `${text}\n`);
      await rename(`${this.#file}.new`, this.#file);
    } catch (error) {
      const what = `cannot write ${this.#file}: containers that start with the host may be left without network`;
      this.#log.info(what, { error });
    }
  }
}
