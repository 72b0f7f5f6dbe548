import { isTieredKind, type PublicKind, type ResourceByKind } from '../../api/registry.js';
import type { ResourceUpdate } from '../../api/resource-update.js';
import type { Client } from '../../client/client.js';
import { Syncer, type SyncerEvent } from '../../datastore/syncer.js';
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

/** What older versions put before the name of a policy in its key. */
const OLD_PREFIX = 'default.';

/**
 * The name by which a query asks for what is stored under a key: its own, or for a policy also the one without what older versions put
 * before it. Undefined: it does not.
 */
export function askedName({ kind, names, namespace }: Query, key: ResourceUpdate['key']): string | undefined {
  if (namespace !== undefined && key.namespace !== namespace) return undefined;
  if (names.length === 0 || names.includes(key.name)) return key.name;
  if (!isTieredKind(kind) || !key.name.startsWith(OLD_PREFIX)) return undefined;
  const name = key.name.slice(OLD_PREFIX.length);
  return names.includes(name) ? name : undefined;
}

/** What is known of the resources of one query. */
class Known {
  readonly #query: Query;
  readonly #matches: Refinement['matches'];
  /** By namespace and the name asked for: what has that name, and what an older version stored for it, which counts where there is no other. */
  readonly #named = new Map<string, StoredResource>();
  readonly #old = new Map<string, StoredResource>();

  constructor(query: Query, matches: Refinement['matches']) {
    this.#query = query;
    this.#matches = matches;
  }

  get items(): readonly StoredResource[] {
    const alone = [...this.#old].filter(([id]) => !this.#named.has(id));
    return [...this.#named.values(), ...alone.map(([, stored]) => stored)];
  }

  #shown(id: string): StoredResource | undefined {
    return this.#named.get(id) ?? this.#old.get(id);
  }

  take({ key, value, revision }: ResourceUpdate): (FollowEvent & { type: 'change' }) | undefined {
    const name = askedName(this.#query, key);
    if (name === undefined) return undefined;
    const id = `${key.namespace ?? ''}/${name}`;
    const before = this.#shown(id);
    const stored = isPublicValue(value) ? { key: { ...key, kind: this.#query.kind }, value, revision } : undefined;
    const held = name === key.name ? this.#named : this.#old;
    if (stored !== undefined && (this.#matches === undefined || this.#matches(stored))) held.set(id, stored);
    else held.delete(id);
    const after = this.#shown(id);
    if (after === before) return undefined;
    if (after === undefined) {
      return before && { type: 'change', change: 'DELETED', stored: { ...before, revision } };
    }
    return { type: 'change', change: before === undefined ? 'ADDED' : 'MODIFIED', stored: after };
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
