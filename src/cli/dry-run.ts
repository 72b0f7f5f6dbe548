import { isDeepStrictEqual } from 'node:util';
import { isPublicKind } from '../api/registry.js';
import { type Clock, systemClock } from '../base/clock.js';
import { Client, resourceId } from '../client/client.js';
import type { Datastore } from '../datastore/datastore.js';
import { type DryRunChange, DryRunDatastore } from '../datastore/dry-run/dry-run-datastore.js';

/** Nobody else takes part in a dry run, so nobody is waited for. */
const impatientClock: Clock = { ...systemClock, setTimer: (_, callback) => systemClock.setTimer(0, callback) };

/** A client whose writes are judged as if they happened, and do not. */
export class DryRun {
  readonly client: Client;
  readonly #store: DryRunDatastore;

  /** @param datastore is only read, and stays the caller's to close */
  constructor(datastore: Datastore, notify: (notice: string) => void) {
    this.#store = new DryRunDatastore(datastore);
    this.client = new Client(this.#store, { clock: impatientClock, notify });
  }

  /** What the writes come to, object by object. */
  async changes(): Promise<readonly DryRunChange[]> {
    return this.#store.changes();
  }

  /** The same in words: people's resources one by one, what IPAM keeps for itself in numbers. */
  async summary(): Promise<readonly string[]> {
    const lines: string[] = [];
    const internal = new Map<string, number>();
    for (const change of await this.changes()) {
      const fate = fateOf(change);
      if (isPublicKind(change.key.kind)) lines.push(`${resourceId(change.key)} ${fate}`);
      else if (fate !== UNCHANGED) {
        const words = `${change.key.kind} ${fate}`;
        internal.set(words, (internal.get(words) ?? 0) + 1);
      }
    }
    return [...lines, ...[...internal].map(([words, count]) => `${count} ${words}`)];
  }
}

const UNCHANGED = 'would stay as it is';

function fateOf({ before, after }: DryRunChange): string {
  if (before === undefined) return 'would be created';
  if (after === undefined) return 'would be deleted';
  return isDeepStrictEqual(before.value, after.value) ? UNCHANGED : 'would be changed';
}
