import { API_VERSION } from '../api/meta.js';
import { DEFAULT_POOL_ANNOTATION, defaultBlockSize, type IPPool } from '../api/kinds/ip-pool.js';
import { CalicoError } from '../base/errors.js';
import type { Datastore, Stored, WriteOperation } from '../datastore/datastore.js';
import { addressBits, addToAddress } from '../net/address.js';
import { formatPrefix, parsePrefix } from '../net/prefix.js';

/** On a pool that is being split, so that a split that broke off is finished and not begun anew: how many parts, and was it disabled. */
const SPLIT_ANNOTATION = 'projectcalico.org/split';
/** Writes of one commit, with room for the old pool. */
const COMMIT_SIZE = 90;
/** More parts than anybody manages; each is a resource that every host follows. */
const MOST_PARTS = 65_536;

/** A pool that came of the split. */
export interface PoolPart {
  readonly name: string;
  readonly cidr: string;
}

export interface SplitOptions {
  readonly newUid: () => string;
  /** RFC 3339. */
  readonly now: string;
}

interface Progress {
  readonly parts: number;
  readonly wasDisabled: boolean;
}

function refused(message: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_IPAM_SPLIT', message, hint === undefined ? {} : { hint });
}

/** The names and ranges of the parts: all the same size, in order. @throws {CalicoError} `ERR_CALI_IPAM_SPLIT` */
export function partsOf(pool: IPPool, count: number): readonly PoolPart[] {
  const { name } = pool.metadata;
  const isPowerOfTwo = Number.isInteger(Math.log2(count)) && count >= 2;
  if (!isPowerOfTwo || count > MOST_PARTS) {
    throw refused(`a pool can be split into 2, 4, 8 … ${MOST_PARTS} parts: "${count}" is not a power of two of those`);
  }
  const { address, length } = parsePrefix(pool.spec.cidr);
  const partLength = length + Math.log2(count);
  const { blockSize = defaultBlockSize(address.family) } = pool.spec;
  if (partLength > blockSize) {
    throw refused(
      `pool "${name}" (${pool.spec.cidr}) cannot be split into ${count}: a part would be a /${partLength}, smaller than one block (/${blockSize})`,
    );
  }
  const size = 2 ** (addressBits(address.family) - partLength);
  return Array.from({ length: count }, (_, index) => ({
    name: `split-${name}-${index}`,
    cidr: formatPrefix({ address: addToAddress(address, index * size), length: partLength }),
  }));
}

function progressOf(pool: IPPool): Progress | undefined {
  const match = /^(\d+),(true|false)$/.exec(pool.metadata.annotations?.[SPLIT_ANNOTATION] ?? '');
  return match === null ? undefined : { parts: Number(match[1]), wasDisabled: match[2] === 'true' };
}

function partResource(pool: IPPool, part: PoolPart, wasDisabled: boolean, options: SplitOptions): IPPool {
  const {
    [SPLIT_ANNOTATION]: _split,
    // The parts are somebody's.
    [DEFAULT_POOL_ANNOTATION]: _default,
    ...annotations
  } = pool.metadata.annotations ?? {};
  const { labels } = pool.metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'IPPool',
    metadata: {
      name: part.name,
      uid: options.newUid(),
      creationTimestamp: options.now,
      ...(labels === undefined ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...pool.spec, cidr: part.cidr, disabled: wasDisabled },
  };
}

/** The parts that are not there yet. @throws {CalicoError} another pool has the name of one */
async function missingParts(datastore: Datastore, parts: readonly PoolPart[]): Promise<readonly PoolPart[]> {
  const { items } = await datastore.list('IPPool');
  const cidrByName = new Map(items.map(({ key, value }) => [key.name, value.spec.cidr]));
  return parts.filter(({ name, cidr }) => {
    const there = cidrByName.get(name);
    if (there !== undefined && there !== cidr) {
      throw refused(`there is a pool "${name}" already, with ${there}`, 'rename it: delete it and apply it anew');
    }
    return there === undefined;
  });
}

/** Marks the pool and disables it, so that whoever comes after a crash knows what was going on. */
async function markPool(datastore: Datastore, stored: Stored<'IPPool'>, progress: Progress): Promise<Stored<'IPPool'>> {
  const { key, value, revision } = stored;
  const annotations = {
    ...value.metadata.annotations,
    [SPLIT_ANNOTATION]: `${progress.parts},${progress.wasDisabled}`,
  };
  const marked: IPPool = {
    ...value,
    metadata: { ...value.metadata, annotations },
    spec: { ...value.spec, disabled: true },
  };
  return datastore.update(key, marked, revision);
}

/**
 * Replaces a pool by parts of equal size. Blocks and addresses stay as they are: each lies in one of the parts. Where everything fits
 * into one atomic commit there is no half-way; otherwise the pool is disabled and marked first, and doing the same again finishes it.
 * The datastore must be locked, or hosts see pools that overlap.
 *
 * @throws {CalicoError} `ERR_CALI_IPAM_SPLIT`
 */
export async function splitPool(
  datastore: Datastore,
  found: Stored<'IPPool'>,
  count: number,
  options: SplitOptions,
): Promise<readonly PoolPart[]> {
  const parts = partsOf(found.value, count);
  const begun = progressOf(found.value);
  if (begun !== undefined && begun.parts !== count) {
    throw refused(
      `pool "${found.key.name}" was being split into ${begun.parts} when that broke off`,
      `finish it first: calicoctl ipam split ${begun.parts} --name=${found.key.name}`,
    );
  }
  const progress = begun ?? { parts: count, wasDisabled: found.value.spec.disabled === true };
  const missing = await missingParts(datastore, parts);
  const isAtOnce = datastore.atomicCommits && missing.length <= COMMIT_SIZE;
  const old = isAtOnce || begun !== undefined ? found : await markPool(datastore, found, progress);
  const creates: WriteOperation[] = missing.map((part) => ({
    type: 'create',
    key: { kind: 'IPPool', name: part.name },
    value: partResource(old.value, part, progress.wasDisabled, options),
  }));
  const removal: WriteOperation = { type: 'delete', key: old.key, revision: old.revision };
  while (creates.length > COMMIT_SIZE) await datastore.commit(creates.splice(0, COMMIT_SIZE));
  await datastore.commit([...creates, removal]);
  return parts;
}
