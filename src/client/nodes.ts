import { ALL_KINDS } from '../api/keys.js';
import { NotFoundError } from '../base/errors.js';
import type { Datastore, ResourceKey } from '../datastore/datastore.js';

async function deleteIfThere(datastore: Datastore, key: ResourceKey): Promise<void> {
  try {
    await datastore.delete(key);
  } catch (error) {
    // Somebody else may have removed it since the list.
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/** Removes what belongs to a node: its endpoints, its peers, its configurations. The node itself goes last, elsewhere. */
export async function deleteNodeBelongings(datastore: Datastore, node: string): Promise<void> {
  const endpoints = await datastore.list('WorkloadEndpoint');
  const peers = await datastore.list('BGPPeer');
  const keys: ResourceKey[] = [
    ...endpoints.items.filter(({ value }) => value.spec.node === node).map(({ key }) => key),
    ...peers.items.filter(({ value }) => value.spec.node === node).map(({ key }) => key),
    ...ALL_KINDS.filter((kind) => kind === 'FelixConfiguration' || kind === 'BGPConfiguration').map((kind) => ({
      kind,
      name: `node.${node}`,
    })),
  ];
  for (const key of keys) await deleteIfThere(datastore, key);
}
