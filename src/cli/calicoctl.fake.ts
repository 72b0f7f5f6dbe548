import type { Datastore } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { run } from './main.js';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Settings {
  readonly files?: Record<string, string>;
  readonly environment?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** calicoctl as a test runs it: within this process, over one datastore in memory. */
export class CalicoctlFake {
  readonly #datastore: Datastore;

  constructor(datastore: Datastore = new MemoryDatastore()) {
    this.#datastore = datastore;
  }

  /** @param files by path; there are no others */
  async run(
    words: readonly string[],
    stdin = '',
    { files = {}, environment = {}, signal = new AbortController().signal }: Settings = {},
  ): Promise<Outcome> {
    let stdout = '';
    let stderr = '';
    const status = await run(words, {
      environment,
      signal,
      datastore: this.#datastore,
      readFile: (path) => {
        const text = files[path];
        const missing = Object.assign(new Error('none'), { code: 'ENOENT' });
        return text === undefined ? Promise.reject(missing) : Promise.resolve(text);
      },
      readStdin: () => Promise.resolve(stdin),
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
    });
    return { status, stdout, stderr };
  }
}

export const ok = (stdout: string): Outcome => ({ status: 0, stdout, stderr: '' });
export const refused = (stderr: string): Outcome => ({ status: 1, stdout: '', stderr });
