import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FelixStatus } from '../api/kinds/felix-status.js';
import { CalicoError, ifFound } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';
import type { StatusSink } from './status-delivery.js';

/** Keys of the datastore whose names begin with the prefix. */
export class DatastoreStatusSink implements StatusSink {
  readonly #datastore: Datastore;
  readonly #prefix: string;

  constructor(datastore: Datastore, prefix: string) {
    this.#datastore = datastore;
    this.#prefix = prefix;
  }

  async list(): Promise<readonly string[]> {
    const { entries } = await this.#datastore.listRevisions('FelixStatus', { namePrefix: this.#prefix });
    return entries.map(({ key }) => key.name);
  }

  async write(name: string, text: string): Promise<void> {
    await this.#datastore.put({ kind: 'FelixStatus', name }, JSON.parse(text) as FelixStatus);
  }

  async remove(name: string): Promise<void> {
    await ifFound(this.#datastore.delete({ kind: 'FelixStatus', name }));
  }
}

function failed(what: string, path: string, cause: unknown): CalicoError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CalicoError('ERR_CALI_FELIX_STATUS_FILE', `cannot ${what} status file ${path}: ${why}`, { cause });
}

/** Files of a folder whose names begin with the prefix. A file is there whole or not at all. */
export class FolderStatusSink implements StatusSink {
  readonly #folder: string;
  readonly #prefix: string;

  constructor(folder: string, prefix: string) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  async list(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => name.startsWith(this.#prefix));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw failed('list', this.#folder, error);
    }
  }

  async write(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    // Begins otherwise, so that nobody takes it for a status; hosts that share a folder do not share it.
    const unfinished = join(this.#folder, `.unfinished-${process.pid}`);
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(unfinished, text);
      await rename(unfinished, path);
    } catch (error) {
      throw failed('write', path, error);
    }
  }

  async remove(name: string): Promise<void> {
    const path = join(this.#folder, name);
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw failed('remove', path, error);
    }
  }
}
