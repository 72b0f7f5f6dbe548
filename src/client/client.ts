import { ruleIssue } from '../api/issues.js';
import { describeKey } from '../api/keys.js';
import { BUILT_IN_TIERS } from '../api/kinds/tier.js';
import type { Metadata } from '../api/meta.js';
import {
  isNamespaced,
  isTieredKind,
  type PublicKind,
  type PublicResourceByKind,
  type ResourceByKind,
  TIERED_KINDS,
  type TieredKind,
} from '../api/registry.js';
import { decodeStored, encodeStored } from '../api/stored-form.js';
import { parseResource } from '../api/validate.js';
import { AlreadyExistsError, ConflictError, ifFound, NotFoundError } from '../base/errors.js';
import { type Clock, sleep, systemClock } from '../base/clock.js';
import type { Datastore, ResourceKey, Stored } from '../datastore/datastore.js';
import { Ipam } from '../ipam/ipam.js';
import { notARevision, notSupported, refused, staleRevision } from './errors.js';
import { ensureInitialized } from './initialize.js';
import { effectNotices } from './kept-only.js';
import { deleteNodeBelongings } from './nodes.js';
import { admitPool, admitPoolChange, releasePoolAffinities } from './pools.js';
import { isUnreadable, revisionOfUnreadable } from './unreadable.js';

type AnyResource = PublicResourceByKind[PublicKind];

export interface ClientOptions {
  readonly clock?: Clock;
  readonly newUid?: () => string;
  /** Hears what happened besides the thing asked for, one line each: the default pool that gave way, what has no effect yet. */
  readonly notify?: (notice: string) => void;
}

/** Update without revision: how often, and how long between, when somebody else is quicker. */
const UPDATE_TRIES = 5;
const UPDATE_WAIT_MS = 1000;
/** How long a disabled pool is left to those who are just assigning from it, before its blocks are taken away. */
const POOL_DRAIN_MS = 500;

/** `NetworkPolicy(shop/web)`, as the operator's messages name things. */
export function resourceId(key: ResourceKey): string {
  return `${key.kind}(${key.namespace === undefined ? '' : `${key.namespace}/`}${key.name})`;
}

function keyOf({ kind, metadata }: AnyResource): ResourceKey<PublicKind> {
  const namespace = metadata.namespace ?? '';
  if (isNamespaced(kind) && namespace === '') {
    const resourceName = describeKey({ kind, name: metadata.name });
    throw refused(resourceName, ruleIssue('metadata.namespace', 'it is missing'));
  }
  return isNamespaced(kind) ? { kind, namespace, name: metadata.name } : { kind, name: metadata.name };
}

/** What people set is laid over what is stored; nothing of it is lost. */
function mergedMetadata(old: Metadata, { labels, annotations }: Metadata): Metadata {
  return {
    ...old,
    ...(labels === undefined ? {} : { labels: { ...old.labels, ...labels } }),
    ...(annotations === undefined ? {} : { annotations: { ...old.annotations, ...annotations } }),
  };
}

function standsInTier(resource: AnyResource): resource is PublicResourceByKind[TieredKind] {
  return isTieredKind(resource.kind);
}

/**
 * Reads and writes the resources that people know, with every rule that stands above the single object. All methods may throw
 * UnavailableError; writes also ValidationError (a rule is broken), UnsupportedError (never possible on this object).
 */
export class Client {
  readonly datastore: Datastore;
  readonly #clock: Clock;
  readonly #newUid: () => string;
  readonly #notify: (notice: string) => void;

  constructor(datastore: Datastore, options: ClientOptions = {}) {
    this.datastore = datastore;
    this.#clock = options.clock ?? systemClock;
    this.#newUid = options.newUid ?? (() => crypto.randomUUID());
    this.#notify = options.notify ?? (() => undefined);
  }

  /**
   * Reads one object. A policy is also found under the key that older versions gave it.
   *
   * @throws {NotFoundError}
   */
  async get<K extends PublicKind>(key: ResourceKey<K>): Promise<Stored<K>> {
    try {
      return await this.datastore.get(key);
    } catch (error) {
      if (!(error instanceof NotFoundError) || !isTieredKind(key.kind)) throw error;
      try {
        return await this.datastore.get({ ...key, name: `default.${key.name}` });
      } catch {
        // The name asked for is the one to report.
        throw error;
      }
    }
  }

  /** All objects of a kind, those of one namespace if given. Sorted by namespace, then name. */
  async list<K extends PublicKind>(kind: K, namespace?: string): Promise<readonly Stored<K>[]> {
    const { items } = await this.datastore.list(kind, namespace === undefined ? {} : { namespace });
    return items;
  }

  /**
   * Writes a new object, with uid and creation time.
   *
   * @throws {AlreadyExistsError}
   */
  async create<R extends AnyResource>(resource: R): Promise<Stored<R['kind']>> {
    const complete = parseResource(resource);
    const key = keyOf(complete) as ResourceKey<R['kind']>;
    if ((complete.metadata.resourceVersion ?? '') !== '') {
      throw refused(describeKey(key), ruleIssue('metadata.resourceVersion', 'it must not be set for a create'));
    }
    const value = this.#stamped(complete);
    if (value.kind === 'IPPool') {
      await this.#createPool(value);
      this.#tellEffects(value);
      return this.datastore.get(key);
    }
    await this.#refuseMissingTier(value);
    await this.#refuseMissingFilters(value);
    const { revision } = await this.datastore.create(key, value as ResourceByKind[R['kind']]);
    this.#tellEffects(value);
    // As it would be read back, without asking for it.
    return { key, value: decodeStored(key, encodeStored(key.kind, value as ResourceByKind[R['kind']])), revision };
  }

  /** As {@link get}; undefined when there is none. */
  async find<K extends PublicKind>(key: ResourceKey<K>): Promise<Stored<K> | undefined> {
    return ifFound(this.get(key));
  }

  /**
   * Writes an object that exists: the spec as given, labels and annotations onto the stored ones. With `metadata.resourceVersion` only
   * if nobody changed it since; without, again and again until nobody is quicker.
   *
   * @param seen as somebody read it a moment ago, which saves reading it; is read again if it is not so any more
   * @throws {NotFoundError}
   * @throws {ConflictError} somebody changed it since the given revision, or five times in a row
   */
  async update<R extends AnyResource>(resource: R, seen?: Stored<R['kind']>): Promise<Stored<R['kind']>> {
    const complete = parseResource(resource);
    const key = keyOf(complete) as ResourceKey<R['kind']>;
    const yours = complete.metadata.resourceVersion ?? '';
    if (!/^\d*$/.test(yours)) throw refused(describeKey(key), notARevision(yours));
    let known = yours === '' ? seen : undefined;
    for (let attempt = 1; ; attempt += 1) {
      const stored = known ?? (await this.get(key));
      if (yours !== '' && yours !== stored.revision) throw staleRevision(describeKey(key), yours, stored.revision);
      try {
        const replaced = await this.#replace(
          stored,
          complete,
          mergedMetadata(stored.value.metadata, complete.metadata),
        );
        this.#tellEffects(complete);
        return replaced;
      } catch (error) {
        if (known !== undefined && (error instanceof ConflictError || error instanceof NotFoundError)) {
          known = undefined;
          continue;
        }
        if (!(error instanceof ConflictError) || yours !== '' || attempt >= UPDATE_TRIES) throw error;
        await sleep(this.#clock, UPDATE_WAIT_MS);
      }
    }
  }

  /**
   * Reads an object, has it changed and writes it, labels and annotations exactly as changed; again and again until nobody is quicker.
   * Name, namespace, uid and creation time stay.
   *
   * @param edit is given the object with its revision as `metadata.resourceVersion`; one that it sets itself must be the newest
   * @throws {NotFoundError}
   * @throws {ConflictError} the revision that `edit` set is not the newest, or somebody was quicker five times in a row
   */
  async change<K extends PublicKind>(
    key: ResourceKey<K>,
    edit: (resource: PublicResourceByKind[K]) => unknown,
  ): Promise<Stored<K>> {
    for (let attempt = 1; ; attempt += 1) {
      const stored = await this.get(key);
      const metadata = { ...stored.value.metadata, resourceVersion: stored.revision };
      const wanted = parseResource(edit({ ...stored.value, metadata }));
      const yours = wanted.metadata.resourceVersion ?? stored.revision;
      if (yours !== stored.revision) throw staleRevision(describeKey(key), yours, stored.revision);
      const { labels, annotations } = wanted.metadata;
      const { labels: _labels, annotations: _annotations, ...kept } = stored.value.metadata;
      const exact: Metadata = {
        ...kept,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      };
      try {
        const replaced = await this.#replace(stored, wanted, exact);
        this.#tellEffects(wanted);
        return replaced;
      } catch (error) {
        if (!(error instanceof ConflictError) || attempt >= UPDATE_TRIES) throw error;
        await sleep(this.#clock, UPDATE_WAIT_MS);
      }
    }
  }

  /**
   * Creates it, or updates it where it exists. What is stored and cannot be read is written anew.
   *
   * @param seen as for {@link update}
   */
  async apply<R extends AnyResource>(resource: R, seen?: Stored<R['kind']>): Promise<Stored<R['kind']>> {
    if ((resource.metadata.resourceVersion ?? '') !== '') return this.update(resource);
    try {
      if (seen !== undefined) return await this.update(resource, seen);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
    try {
      return await this.create(resource);
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
    try {
      return await this.update(resource);
    } catch (error) {
      const anew = isUnreadable(error) ? await this.#writeAnew(resource) : undefined;
      if (anew === undefined) throw error;
      return anew;
    }
  }

  /**
   * Deletes an object and what belongs to it: a pool's block affinities, a node's endpoints and configurations.
   *
   * @param options `revision`: only as it was then
   * @throws {NotFoundError}
   * @throws {ConflictError} it has another revision by now
   * @throws {UnsupportedError} a tier that is built in or still has policies
   */
  async delete<K extends PublicKind>(key: ResourceKey<K>, options: { readonly revision?: string } = {}): Promise<void> {
    let stored: Stored<K> | undefined;
    let unreadableRevision: string | undefined;
    try {
      stored = await this.get(key);
    } catch (error) {
      unreadableRevision = isUnreadable(error) ? await revisionOfUnreadable(this.datastore, key) : undefined;
      if (unreadableRevision === undefined) throw error;
    }
    const { revision } = options;
    if (revision !== undefined && stored !== undefined && stored.revision !== revision)
      throw staleRevision(describeKey(key), revision, stored.revision);
    if (key.kind === 'Tier') await this.#refuseTierInUse(key);
    if (key.kind === 'Node') await deleteNodeBelongings(this.datastore, this.#ipam(), key.name);
    if (unreadableRevision !== undefined)
      await this.datastore.commit([{ type: 'delete', key, revision: unreadableRevision }]);
    else if (key.kind === 'IPPool') await this.#deletePool({ kind: 'IPPool', name: key.name }, options);
    else await this.datastore.delete(stored?.key ?? key, options);
  }

  /** Makes sure of what every cluster has. @see ensureInitialized */
  async ensureInitialized(options: { readonly clusterType?: string; readonly version?: string } = {}): Promise<void> {
    await ensureInitialized(this.datastore, { ...options, newUid: this.#newUid, now: this.#now() });
  }

  #tellEffects(resource: AnyResource): void {
    for (const notice of effectNotices(resource)) this.#notify(notice);
  }

  #ipam(): Ipam {
    return new Ipam(this.datastore, { clock: this.#clock });
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #stamped(resource: AnyResource): AnyResource {
    const { uid = this.#newUid(), creationTimestamp = this.#now(), ...rest } = resource.metadata;
    return { ...resource, metadata: { ...rest, uid, creationTimestamp, ...this.#forcedLabels(resource) } };
  }

  #forcedLabels(resource: AnyResource): Pick<Metadata, 'labels'> {
    if (resource.kind !== 'WorkloadEndpoint') return {};
    const forced = {
      'projectcalico.org/namespace': resource.metadata.namespace ?? '',
      'projectcalico.org/orchestrator': resource.spec.orchestrator,
    };
    return { labels: { ...resource.metadata.labels, ...forced } };
  }

  async #replace<K extends PublicKind>(stored: Stored<K>, wanted: AnyResource, metadata: Metadata): Promise<Stored<K>> {
    let value: AnyResource = { ...wanted, metadata };
    value = { ...value, metadata: { ...metadata, ...this.#forcedLabels(value) } };
    if (value.kind === 'IPPool' && stored.value.kind === 'IPPool') {
      value = await admitPoolChange(this.datastore, stored.value, value);
    }
    await this.#refuseMissingFilters(value);
    return this.datastore.update(stored.key, value as unknown as ResourceByKind[K], stored.revision);
  }

  /** An attempt to create it has judged it before. @returns undefined when what is stored can be read after all, or is gone */
  async #writeAnew<R extends AnyResource>(resource: R): Promise<Stored<R['kind']> | undefined> {
    const value = this.#stamped(parseResource(resource)) as ResourceByKind[R['kind']];
    const key = keyOf(resource) as ResourceKey<R['kind']>;
    const revision = await revisionOfUnreadable(this.datastore, key);
    if (revision === undefined) return undefined;
    const written = await this.datastore.update(key, value, revision);
    this.#tellEffects(written.value as AnyResource);
    return written;
  }

  async #createPool(pool: PublicResourceByKind['IPPool']): Promise<void> {
    const key: ResourceKey<'IPPool'> = { kind: 'IPPool', name: pool.metadata.name };
    const { replaced, notices } = await admitPool(this.datastore, pool);
    if (replaced.length === 0) {
      await this.datastore.create(key, pool);
      return;
    }
    await this.datastore.commit([
      ...replaced.map((old) => ({ type: 'delete' as const, key: old.key, revision: old.revision })),
      { type: 'create', key, value: pool },
    ]);
    for (const notice of notices) this.#notify(notice);
  }

  async #deletePool(key: ResourceKey<'IPPool'>, options: { readonly revision?: string }): Promise<void> {
    const { value, ...seen } = await this.datastore.get(key);
    let { revision = seen.revision } = options;
    if (value.spec.disabled !== true) {
      const disabled = { ...value, spec: { ...value.spec, disabled: true } };
      ({ revision } = await this.datastore.update(key, disabled, revision));
      await sleep(this.#clock, POOL_DRAIN_MS);
    }
    await releasePoolAffinities(this.datastore, this.#ipam(), value.spec.cidr);
    await this.datastore.delete(key, options.revision === undefined ? {} : { revision });
  }

  async #refuseMissingTier(resource: AnyResource): Promise<void> {
    if (!standsInTier(resource)) return;
    const { tier: name = 'default' } = resource.spec;
    // The built-in ones come into being with the cluster, see ensureInitialized().
    if (Object.hasOwn(BUILT_IN_TIERS, name)) return;
    if ((await ifFound(this.datastore.get({ kind: 'Tier', name }))) !== undefined) return;
    const hint = 'create it first, or see the tiers with: calicoctl get tier';
    throw refused(describeKey(keyOf(resource)), ruleIssue('spec.tier', `tier "${name}" does not exist`, hint));
  }

  async #refuseMissingFilters(resource: AnyResource): Promise<void> {
    if (resource.kind !== 'BGPPeer') return;
    for (const [index, name] of (resource.spec.filters ?? []).entries()) {
      if ((await ifFound(this.datastore.get({ kind: 'BGPFilter', name }))) !== undefined) continue;
      const hint = 'create it first, or see the filters with: calicoctl get bgpfilter';
      const issue = ruleIssue(`spec.filters[${index}]`, `BGPFilter "${name}" does not exist`, hint);
      throw refused(describeKey(keyOf(resource)), issue);
    }
  }

  async #refuseTierInUse(key: ResourceKey): Promise<void> {
    if (Object.hasOwn(BUILT_IN_TIERS, key.name)) throw notSupported('delete', resourceId(key), 'it is built in');
    for (const kind of TIERED_KINDS) {
      const policies = await this.list(kind);
      if (policies.some(({ value }) => value.spec.tier === key.name)) {
        throw notSupported('delete', resourceId(key), 'Cannot delete a non-empty tier');
      }
    }
  }
}
