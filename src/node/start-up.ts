import { randomUUID } from 'node:crypto';
import { API_VERSION } from '../api/meta.js';
import type { Node } from '../api/kinds/node.js';
import type { Clock } from '../base/clock.js';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import { ensureInitialized } from '../client/initialize.js';
import type { ResourceKey } from '../datastore/datastore.js';
import { sameValue } from '../plan/same-value.js';
import { createDefaultPools, type RandomBytes } from './default-pools.js';
import { type HostFacts, refuseTakenAddress, wantedNode } from './node-resource.js';
import { VERSION } from '../base/version.js';

export interface StartUpOptions extends HostFacts {
  readonly client: Client;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly hasIpv6: boolean;
  /** Whether settings of single nodes live in this datastore (etcd), so that this node's own may be written. */
  readonly ownsNodeConfiguration: boolean;
}

export interface StartedUp {
  readonly node: Node;
  /** What was written and what looks wrong, one line for people each. */
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
}

const NODE_WRITE_TRIES = 5;

async function writeNodeOnce(options: StartUpOptions): Promise<StartedUp> {
  const { client, name, settings } = options;
  const stored = await client.find({ kind: 'Node', name });
  const wanted = wantedNode(stored?.value, options);
  const { node, warnings } = wanted;
  if (settings.checkDuplicateAddresses && settings.networking !== 'none' && wanted.changed.length > 0) {
    refuseTakenAddress(
      wanted,
      (await client.list('Node')).map(({ value }) => value),
    );
  }
  if (stored === undefined) {
    await client.create(node);
    return { node, warnings, notices: [`created node "${name}"`] };
  }
  if (sameValue(stored.value.spec, node.spec)) return { node, warnings, notices: [] };
  await client.update({ ...node, metadata: { ...node.metadata, resourceVersion: stored.revision } });
  return { node, warnings, notices: [`updated node "${name}"`] };
}

/**
 * Creates or updates this host's Node; writes nothing when it is as it should be.
 *
 * @throws {CalicoError} `ERR_CALI_NODE_ADDRESS`, `ERR_CALI_NODE_ADDRESS_TAKEN`
 */
export async function writeNode(options: StartUpOptions): Promise<StartedUp> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeNodeOnce(options);
    } catch (error) {
      const isRace = error instanceof ConflictError || error instanceof AlreadyExistsError;
      if (!isRace || attempt >= NODE_WRITE_TRIES) throw error;
    }
  }
}

type ConfigurationKind = 'FelixConfiguration' | 'BGPConfiguration';

/** Fills in fields that nobody set; creates the object when it is missing. */
async function fillIn(
  client: Client,
  kind: ConfigurationKind,
  name: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  try {
    const { value, revision } = await client.get({ kind, name });
    const spec = { ...fields, ...value.spec };
    if (sameValue(spec, value.spec)) return;
    await client.update({ ...value, spec, metadata: { ...value.metadata, resourceVersion: revision } } as typeof value);
  } catch (error) {
    // Somebody who writes it at the same moment has set it.
    if (error instanceof ConflictError) return;
    if (!(error instanceof NotFoundError)) throw error;
    await unlessThere(client.create({ apiVersion: API_VERSION, kind, metadata: { name }, spec: fields }));
  }
}

async function unlessThere(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
}

const IPAM_KEY: ResourceKey<'IPAMConfiguration'> = { kind: 'IPAMConfiguration', name: 'default' };

async function writeIpamDefaults({ client: { datastore } }: StartUpOptions): Promise<void> {
  try {
    await datastore.get(IPAM_KEY);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const spec = {
      strictAffinity: false,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 0,
      kubeVirtVMAddressPersistence: 'Enabled' as const,
    };
    const metadata = { name: 'default' };
    await unlessThere(
      datastore.create(IPAM_KEY, { apiVersion: API_VERSION, kind: 'IPAMConfiguration', metadata, spec }),
    );
  }
}

/**
 * Writes what a cluster and this host need in the datastore, in this order: Node, default pools, cluster identity and tiers,
 * configurations. What is there stays; a second start writes nothing.
 *
 * @throws {CalicoError} `ERR_CALI_NODE_ADDRESS`, `ERR_CALI_NODE_ADDRESS_TAKEN`, or what the datastore said
 */
export async function startUp(options: StartUpOptions): Promise<StartedUp> {
  const { client, settings, name, clock } = options;
  const written = await writeNode(options);
  const pools = await createDefaultPools(client, options);
  await ensureInitialized(client.datastore, {
    ...(settings.clusterType === undefined ? {} : { clusterType: settings.clusterType }),
    version: VERSION,
    newUid: randomUUID,
    now: new Date(clock.wallMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
  });
  await fillIn(client, 'FelixConfiguration', 'default', { reportingInterval: '0s', logSeverityScreen: 'Info' });
  if (options.ownsNodeConfiguration) {
    await fillIn(client, 'FelixConfiguration', `node.${name}`, { defaultEndpointToHostAction: 'Return' });
  }
  await fillIn(client, 'BGPConfiguration', 'default', {});
  await writeIpamDefaults(options);
  return { ...written, notices: [...written.notices, ...pools] };
}
