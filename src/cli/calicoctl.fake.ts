import type { Datastore } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import type { Surroundings } from './command.js';
import { run } from './main.js';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** calicoctl as a test runs it: within this process, over one datastore. There are no files, unless `readFile` finds some. */
export class CalicoctlFake {
  readonly #datastore: Datastore;
  readonly #surroundings: Partial<Surroundings>;

  /** @param surroundings of every run */
  constructor(datastore: Datastore = new MemoryDatastore(), surroundings: Partial<Surroundings> = {}) {
    this.#datastore = datastore;
    this.#surroundings = surroundings;
  }

  /** @param surroundings of this run */
  async run(
    words: readonly string[],
    stdin = '',
    surroundings: Partial<Pick<Surroundings, 'environment' | 'signal'>> = {},
  ): Promise<Outcome> {
    let stdout = '';
    let stderr = '';
    const status = await run(words, {
      environment: {},
      datastore: this.#datastore,
      readFile: () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' })),
      readStdin: () => Promise.resolve(stdin),
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
      ...this.#surroundings,
      ...surroundings,
    });
    return { status, stdout, stderr };
  }

  /** The same for a line, as one types it: its words hold no blanks. */
  readonly type = (line: string, ...more: [stdin?: string, surroundings?: Parameters<CalicoctlFake['run']>[2]]) =>
    this.run(
      line.split(' ').filter((word) => word !== ''),
      ...more,
    );
}

export const ok = (stdout: string): Outcome => ({ status: 0, stdout, stderr: '' });
export const refused = (stderr: string): Outcome => ({ status: 1, stdout: '', stderr });
