import type { PublicKind, ResourceByKind } from '../api/registry.js';
import type { ResourceUpdate } from '../api/resource-update.js';
import type { Client } from '../client/client.js';
import { Syncer, type SyncerEvent } from '../datastore/syncer.js';
import type { Query, Refinement, StoredResource } from './get-query.js';

/** As other watchers of resources call them. */
export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What happens to the resources of a query. */
export type FollowEvent =
  /** All there are, once; in no order. */
  | { readonly type: 'initial'; readonly items: readonly StoredResource[] }
  /** One that matches; deleted ones with what was last known of them. One that matches no longer is deleted. */
  | { readonly type: 'change'; readonly change: ChangeType; readonly stored: StoredResource }
  /** For people: why nothing comes just now, what cannot be read. */
  | { readonly type: 'notice'; readonly text: string };

function isPublicValue(value: ResourceByKind[keyof ResourceByKind] | undefined): value is StoredResource['value'] {
  return value !== undefined && 'metadata' in value;
}

function notice({ status, reason }: SyncerEvent & { type: 'status' }, before: string): string | undefined {
  if (reason === undefined) return status === 'in-sync' && before === 'waiting' ? 'connected again' : undefined;
  return status === 'resyncing' ? `${reason.message}; reading all again` : reason.message;
}

/** What is known of the resources of one query. */
class Known {
  readonly #query: Query;
  readonly #matches: Refinement['matches'];
  readonly #byKey = new Map<string, StoredResource>();

  constructor(query: Query, matches: Refinement['matches']) {
    this.#query = query;
    this.#matches = matches;
  }

  get items(): readonly StoredResource[] {
    return [...this.#byKey.values()];
  }

  #isAskedFor({ namespace, name }: ResourceUpdate['key']): boolean {
    const { names } = this.#query;
    const hasName = names.length === 0 || names.includes(name);
    return hasName && (this.#query.namespace === undefined || namespace === this.#query.namespace);
  }

  take({ key, value, revision }: ResourceUpdate): (FollowEvent & { type: 'change' }) | undefined {
    if (!this.#isAskedFor(key)) return undefined;
    const id = `${key.namespace ?? ''}/${key.name}`;
    const before = this.#byKey.get(id);
    const stored = isPublicValue(value) ? { key: { ...key, kind: this.#query.kind }, value, revision } : undefined;
    if (stored !== undefined && (this.#matches === undefined || this.#matches(stored))) {
      this.#byKey.set(id, stored);
      return { type: 'change', change: before === undefined ? 'ADDED' : 'MODIFIED', stored };
    }
    if (before === undefined) return undefined;
    this.#byKey.delete(id);
    return { type: 'change', change: 'DELETED', stored: { ...before, revision } };
  }
}

/**
 * Follows the resources of a query: what there is, then every change, over restarts and compactions of the store. Ends when the signal aborts;
 * it does not give up before.
 */
export async function* followResources(
  client: Client,
  query: Query,
  { matches }: Pick<Refinement, 'matches'>,
  signal: AbortSignal,
): AsyncGenerator<FollowEvent> {
  const kinds: readonly PublicKind[] = [query.kind];
  const known = new Known(query, matches);
  let isComplete = false;
  let status = '';
  for await (const event of new Syncer({ datastore: client.datastore, kinds }).run(signal)) {
    if (event.type === 'updates') {
      for (const update of event.updates) {
        const change = known.take(update);
        if (isComplete && change !== undefined) yield change;
      }
    } else {
      const text = notice(event, status);
      if (text !== undefined) yield { type: 'notice', text };
      status = event.status;
      if (!isComplete && status === 'in-sync') {
        isComplete = true;
        yield { type: 'initial', items: known.items };
      }
    }
  }
}
