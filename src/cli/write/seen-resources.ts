import type { PublicKind } from '../../api/registry.js';
import { UnavailableError } from '../../base/errors.js';
import { type Client, resourceId } from '../../client/client.js';
import type { Stored } from '../../datastore/datastore.js';
import type { InputResource } from '../manifests/input.js';
import { isFreeKind } from './write-order.js';

/** What is stored of the resources somebody is about to write, by {@link resourceId}; not all of it need be there. */
export type SeenResources = ReadonlyMap<string, Stored<PublicKind>>;

/** As many of a kind are read sooner in one list than one by one… */
const WORTH_A_LIST = 50;
/** …unless the list holds so many others for each of them. */
const OTHERS_LIMIT = 20;

async function addSeen(client: Client, kind: PublicKind, wanted: ReadonlySet<string>, seen: Map<string, Stored>) {
  let passed = 0;
  for await (const { items } of client.datastore.listPieces(kind)) {
    for (const item of items) {
      const id = resourceId(item.key);
      if (wanted.has(id)) seen.set(id, item);
    }
    passed += items.length;
    if (passed > wanted.size * OTHERS_LIMIT) return;
  }
}

/** Reads what is stored of resources of which there are many of a kind, in a list for each kind. */
export async function readSeen(client: Client, resources: readonly InputResource[]): Promise<SeenResources> {
  const idsByKind = new Map<PublicKind, Set<string>>();
  for (const { key } of resources) {
    if (!isFreeKind(key.kind)) continue;
    const ids = idsByKind.get(key.kind) ?? new Set();
    idsByKind.set(key.kind, ids.add(resourceId(key)));
  }
  const seen = new Map<string, Stored<PublicKind>>();
  for (const [kind, ids] of idsByKind) {
    if (ids.size < WORTH_A_LIST) continue;
    try {
      await addSeen(client, kind, ids, seen);
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      // Somebody who may write some of a kind need not be allowed to read all of it.
    }
  }
  return seen;
}
