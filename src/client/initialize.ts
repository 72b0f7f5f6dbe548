import { BUILT_IN_TIERS } from '../api/kinds/tier.js';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../base/errors.js';
import { isOtherProgramsVersion } from '../base/version.js';
import { API_VERSION } from '../api/meta.js';
import type { ClusterInformation } from '../api/kinds/cluster-information.js';
import type { Datastore, ResourceKey } from '../datastore/datastore.js';

export interface InitializeOptions {
  /** Joins ClusterInformation's list. */
  readonly clusterType?: string;
  /** Becomes ClusterInformation's `calicoVersion`, except in a cluster that another implementation made. */
  readonly version?: string;
  readonly newUid: () => string;
  /** RFC 3339. */
  readonly now: string;
}

const CLUSTER_KEY: ResourceKey<'ClusterInformation'> = { kind: 'ClusterInformation', name: 'default' };

function joinTypes(old: string | undefined, more: string | undefined): string | undefined {
  const types = new Set([...(old ?? '').split(','), ...(more ?? '').split(',')].filter((type) => type !== ''));
  return types.size === 0 ? undefined : [...types].join(',');
}

function completed(spec: ClusterInformation['spec'], options: InitializeOptions): ClusterInformation['spec'] {
  const clusterType = joinTypes(spec.clusterType, options.clusterType);
  return {
    ...spec,
    clusterGUID: spec.clusterGUID ?? options.newUid().replaceAll('-', ''),
    datastoreReady: spec.datastoreReady ?? true,
    ...(clusterType === undefined ? {} : { clusterType }),
    ...(options.version === undefined || isOtherProgramsVersion(spec.calicoVersion ?? '')
      ? {}
      : { calicoVersion: options.version }),
  };
}

async function initializeCluster(datastore: Datastore, options: InitializeOptions): Promise<void> {
  try {
    const stored = await datastore.get(CLUSTER_KEY);
    const spec = completed(stored.value.spec, options);
    if (JSON.stringify(spec) === JSON.stringify(stored.value.spec)) return;
    await datastore.update(CLUSTER_KEY, { ...stored.value, spec }, stored.revision);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    await datastore.create(CLUSTER_KEY, {
      apiVersion: API_VERSION,
      kind: 'ClusterInformation',
      metadata: { name: 'default', uid: options.newUid(), creationTimestamp: options.now },
      spec: completed({}, options),
    });
  }
}

async function initializeTiers(datastore: Datastore, options: InitializeOptions): Promise<void> {
  const { items } = await datastore.list('Tier');
  const present = new Set(items.map(({ key }) => key.name));
  for (const [name, spec] of Object.entries(BUILT_IN_TIERS)) {
    if (present.has(name)) continue;
    const metadata = { name, uid: options.newUid(), creationTimestamp: options.now };
    await ignoringRace(
      datastore.create({ kind: 'Tier', name }, { apiVersion: API_VERSION, kind: 'Tier', metadata, spec }),
    );
  }
}

/** Two that initialise at once write the same: whoever is second is done. */
async function ignoringRace(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof AlreadyExistsError) && !(error instanceof ConflictError)) throw error;
  }
}

/** Makes sure of what every cluster has: ClusterInformation with an identity, and the built-in tiers. May run any time, anywhere. */
export async function ensureInitialized(datastore: Datastore, options: InitializeOptions): Promise<void> {
  await ignoringRace(initializeCluster(datastore, options));
  await initializeTiers(datastore, options);
}
