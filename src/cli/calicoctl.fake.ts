import { NotFoundError } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { run } from './main.js';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
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
    { files = {}, environment = {} }: { files?: Record<string, string>; environment?: Record<string, string> } = {},
  ): Promise<Outcome> {
    let stdout = '';
    let stderr = '';
    const status = await run(words, {
      environment,
      datastore: this.#datastore,
      readFile: (path) => {
        const text = files[path];
        return text === undefined ? Promise.reject(new NotFoundError('ERR', 'none')) : Promise.resolve(text);
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
