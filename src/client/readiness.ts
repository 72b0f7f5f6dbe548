import { CalicoError, ConflictError, ifFound } from '../base/errors.js';
import type { Datastore, ResourceKey, Stored } from '../datastore/datastore.js';

const CLUSTER: ResourceKey<'ClusterInformation'> = { kind: 'ClusterInformation', name: 'default' };
/** How often to try again when somebody else writes ClusterInformation at the same time. */
const TRIES = 5;

/** What the cluster says of itself; undefined where nobody has initialised the datastore. */
export function readCluster(datastore: Datastore): Promise<Stored<'ClusterInformation'> | undefined> {
  return ifFound(datastore.get(CLUSTER));
}

/** A datastore is locked while ClusterInformation says that it is not ready: hosts hold still, no address is assigned. */
export function isLocked(cluster: Stored<'ClusterInformation'> | undefined): boolean {
  return cluster?.value.spec.datastoreReady === false;
}

/**
 * Locks the datastore or unlocks it.
 *
 * @throws {CalicoError} `ERR_CALI_CLIENT_NOT_INITIALIZED`
 */
export async function setDatastoreReady(datastore: Datastore, datastoreReady: boolean): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const cluster = await readCluster(datastore);
    if (cluster === undefined) {
      throw new CalicoError('ERR_CALI_CLIENT_NOT_INITIALIZED', 'the datastore has no ClusterInformation "default"', {
        hint: 'start calico-node once, or see that ETCD_ENDPOINTS names the right etcd',
      });
    }
    const { key, value, revision } = cluster;
    if (value.spec.datastoreReady === datastoreReady) return;
    try {
      await datastore.update(key, { ...value, spec: { ...value.spec, datastoreReady } }, revision);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= TRIES) throw error;
    }
  }
}

/** For what is safe only while nothing else changes. @throws {CalicoError} `ERR_CALI_CLIENT_UNLOCKED` */
export async function refuseUnlocked(datastore: Datastore, purpose: string): Promise<void> {
  if (isLocked(await readCluster(datastore))) return;
  throw new CalicoError('ERR_CALI_CLIENT_UNLOCKED', `datastore is not locked: it must be, to ${purpose}`, {
    hint: 'run first: calicoctl datastore migrate lock',
  });
}
