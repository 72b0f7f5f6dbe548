import { describeKey } from '../api/keys.js';
import type { Kind } from '../api/registry.js';
import { CalicoError } from '../base/errors.js';
import type { Datastore, InvalidEntry, Stored } from '../datastore/datastore.js';

/** Everything that bears on addresses, as of one moment of the store. */
export interface IpamSnapshot {
  readonly pools: readonly Stored<'IPPool'>[];
  readonly blocks: readonly Stored<'IPAMBlock'>[];
  readonly affinities: readonly Stored<'BlockAffinity'>[];
  readonly handles: readonly Stored<'IPAMHandle'>[];
  readonly nodes: readonly Stored<'Node'>[];
  readonly endpoints: readonly Stored<'WorkloadEndpoint'>[];
  /** What lies in the store and cannot be read, in words. */
  readonly unreadable: readonly string[];
}

/** How often a snapshot is begun anew when the store forgot its moment meanwhile. */
const TRIES = 3;

class Reader {
  readonly unreadable: string[] = [];
  readonly #datastore: Datastore;
  readonly #onRead: (objects: number) => void;
  #revision: string | undefined;

  constructor(datastore: Datastore, onRead: (objects: number) => void) {
    this.#datastore = datastore;
    this.#onRead = onRead;
  }

  /** All of a kind, as of the revision of the first kind read. */
  async list<K extends Kind>(kind: K): Promise<readonly Stored<K>[]> {
    const items: Stored<K>[] = [];
    const at = this.#revision === undefined ? {} : { revision: this.#revision };
    for await (const piece of this.#datastore.listPieces(kind, at)) {
      for (const item of piece.items) items.push(item);
      this.unreadable.push(...piece.invalid.map((entry: InvalidEntry) => `${describeKey(entry.key)}: ${entry.reason}`));
      this.#revision ??= piece.revision;
      this.#onRead(piece.items.length);
    }
    return items;
  }
}

/**
 * Reads it all. A connection between kinds that is missing here was missing in the store, not made while this was reading.
 *
 * @param onRead called for every few hundred objects with their number
 * @throws {ConflictError} the store forgot the moment, three times
 */
export async function readSnapshot(
  datastore: Datastore,
  onRead: (objects: number) => void = () => undefined,
): Promise<IpamSnapshot> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const reader = new Reader(datastore, onRead);
      return {
        pools: await reader.list('IPPool'),
        blocks: await reader.list('IPAMBlock'),
        affinities: await reader.list('BlockAffinity'),
        handles: await reader.list('IPAMHandle'),
        nodes: await reader.list('Node'),
        endpoints: await reader.list('WorkloadEndpoint'),
        unreadable: reader.unreadable,
      };
    } catch (error) {
      const isForgotten = error instanceof CalicoError && error.code === 'ERR_CALI_DATASTORE_COMPACTED';
      if (!isForgotten || attempt >= TRIES) throw error;
    }
  }
}
