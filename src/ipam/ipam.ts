import { parseBlockAffinityName } from '../api/kinds/block-affinity.js';
import { type Clock, systemClock } from '../base/clock.js';
import { CalicoError, ConflictError, ifFound, NotFoundError } from '../base/errors.js';
import type { Random } from '../base/retry.js';
import type { Datastore } from '../datastore/datastore.js';
import { formatAddress, parseAddress } from '../net/address.js';
import { affinityText, blockKey, claimBlock, type Owner, ownerOf, releaseAffinity } from './affinity.js';
import { Assignment, assignGiven, type FamilyRequest, type FamilyResult } from './assign.js';
import { addressAt, attributeAt, ordinalOf, ordinalsOf, written } from './block.js';
import { coolsDown, hasNoSuchHandle, isNotAssigned } from './errors.js';
import { Facts } from './facts.js';
import { GroupCommit } from './group-commit.js';
import { cleanHandleId, handleKey } from './handle.js';
import { blocksOf, type IntendedUse, readPools } from './pools.js';
import { Release, type ReleaseResult } from './release.js';
import type { IpamTransaction } from './transaction.js';
import { type PoolUtilization, readUtilization } from './utilization.js';

/** Owner of the blocks of load balancer addresses. */
const LOAD_BALANCER: Owner = { type: 'virtual', name: 'load-balancer' };

export interface AutoAssignRequest {
  /** How many of each family; default none. */
  readonly ipv4?: number;
  readonly ipv6?: number;
  readonly hostname: string;
  readonly use: IntendedUse;
  /** Releases and queries name it; one handle may hold several addresses. */
  readonly handleId?: string;
  /** Stored beside the address: `pod`, `namespace`, `node`, `type` … */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Names or CIDRs; override the pools' selectors and assignment mode. */
  readonly ipv4Pools?: readonly string[];
  readonly ipv6Pools?: readonly string[];
  /** For the pools' namespace selectors. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly maxBlocksPerHost?: number;
  /**
   * Most addresses of each family that the handle may hold, those from earlier included: a virtual machine has one and keeps it. What is
   * there already is not in the result: see {@link Ipam.addressesByHandle}.
   */
  readonly maxPerHandle?: number;
}

export interface AutoAssignResult {
  readonly ipv4: FamilyResult;
  readonly ipv6: FamilyResult;
}

export interface AssignIpRequest {
  readonly address: string;
  readonly hostname: string;
  readonly handleId?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Checked against the pool only when given. */
  readonly use?: IntendedUse;
}

export interface ReleaseRequest {
  readonly address: string;
  /** The address is released only if this handle holds it. */
  readonly handleId?: string;
  /** As `attributes()` returned it: an address that was assigned anew since is left alone. */
  readonly sequence?: bigint;
}

/** CIDRs of blocks. */
export interface ClaimResult {
  readonly claimed: readonly string[];
  /** They belong to others. */
  readonly refused: readonly string[];
}

/** Who holds an address. */
export interface AddressAttributes {
  readonly address: string;
  readonly block: string;
  readonly affinity: string | undefined;
  readonly handleId: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of who takes over: the target of a migration. */
  readonly alternateAttributes: Readonly<Record<string, string>>;
  readonly sequence: bigint | undefined;
}

/**
 * Addresses from pools. One instance a process: it remembers the blocks and handles that it wrote, and commits requests that arrive
 * together as one. Every write is compare-and-swap; any number of hosts may work on one store.
 */
export class Ipam {
  readonly #datastore: Datastore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #commits: GroupCommit;
  readonly #facts = new WeakMap<IpamTransaction, Facts>();

  constructor(datastore: Datastore, options: { readonly clock?: Clock; readonly random?: Random } = {}) {
    this.#datastore = datastore;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#commits = new GroupCommit(datastore, this.#clock, this.#random);
  }

  /**
   * Assigns addresses of both families, together. Fewer than asked for is no error here: see `messages` and {@link explainShortfall}.
   *
   * @throws {ValidationError} `ERR_CALI_IPAM_REQUEST` no pool fits the request
   */
  autoAssign(request: AutoAssignRequest): Promise<AutoAssignResult> {
    const owner = request.use === 'LoadBalancer' ? LOAD_BALANCER : ownerOf(request.hostname);
    const common = {
      owner,
      use: request.use,
      holder: holderOf(request),
      namespaceLabels: request.namespaceLabels,
      maxBlocksPerHost: request.maxBlocksPerHost,
      maxPerHandle: request.maxPerHandle,
    };
    return this.#run(async (transaction, facts) => ({
      ipv4: await this.#assign(transaction, facts, {
        ...common,
        family: 4,
        count: request.ipv4 ?? 0,
        pools: request.ipv4Pools,
      }),
      ipv6: await this.#assign(transaction, facts, {
        ...common,
        family: 6,
        count: request.ipv6 ?? 0,
        pools: request.ipv6Pools,
      }),
    }));
  }

  /**
   * Assigns one given address.
   *
   * @throws {AlreadyExistsError} `ERR_CALI_IPAM_ASSIGNED`; {NotFoundError} `ERR_CALI_IPAM_NO_POOL`;
   *   {ConflictError} `ERR_CALI_IPAM_OTHER_AFFINITY` with strict affinity
   */
  assignIp(request: AssignIpRequest): Promise<void> {
    const address = parseAddress(request.address);
    const given = { address, owner: ownerOf(request.hostname), holder: holderOf(request), use: request.use };
    return this.#run((transaction, facts) => assignGiven(transaction, facts, given));
  }

  /** @throws {ConflictError} a handle or sequence number is not that of the address: nothing is released */
  releaseIps(requests: readonly ReleaseRequest[]): Promise<ReleaseResult> {
    const parsed = requests.map(({ address, handleId, sequence }) => ({
      address: parseAddress(address),
      handleId: handleId === undefined ? undefined : cleanHandleId(handleId),
      sequence,
    }));
    return this.#run((transaction, facts) => new Release(transaction, facts).addresses(parsed));
  }

  /**
   * Releases what workloads of a host had, as far as it is still theirs: who does it again, half-way through the last time, must not take
   * an address from whoever got it since.
   */
  async releaseOfHost(addresses: readonly string[], hostname: string): Promise<void> {
    await Promise.all(addresses.map((address) => this.#releaseOfHost(address, hostname)));
  }

  async #releaseOfHost(address: string, hostname: string): Promise<void> {
    try {
      const { attributes, sequence } = await this.attributes(address);
      if ((attributes['node'] ?? hostname) !== hostname) return;
      await this.releaseIps([{ address, ...(sequence === undefined ? {} : { sequence }) }]);
    } catch (error) {
      const isReassigned = error instanceof CalicoError && error.code === 'ERR_CALI_IPAM_OTHER_SEQUENCE';
      if (!isReassigned && !(error instanceof NotFoundError)) throw error;
    }
  }

  /** Releases everything that a handle holds. @throws {NotFoundError} `ERR_CALI_IPAM_NO_HANDLE` */
  releaseByHandle(handleId: string): Promise<ReleaseResult> {
    return this.#run((transaction, facts) => new Release(transaction, facts).handle(cleanHandleId(handleId)));
  }

  /** Without mask, by block and then in order. @throws {NotFoundError} `ERR_CALI_IPAM_NO_HANDLE` */
  async addressesByHandle(handleId: string): Promise<readonly string[]> {
    const id = cleanHandleId(handleId);
    const handle = await ifFound(this.#datastore.get(handleKey(id)));
    if (handle === undefined) throw hasNoSuchHandle(id);
    const addresses = await Promise.all(Object.keys(handle.value.block).map((cidr) => this.#addressesIn(cidr, id)));
    return addresses.flat();
  }

  async #addressesIn(cidr: string, handleId: string): Promise<string[]> {
    const block = (await ifFound(this.#datastore.get({ kind: 'IPAMBlock', name: cidr })))?.value;
    return block === undefined
      ? []
      : ordinalsOf(block, handleId).map((ordinal) => formatAddress(addressAt(block, ordinal)));
  }

  /** @throws {NotFoundError} `ERR_CALI_IPAM_NOT_ASSIGNED`, or `ERR_CALI_IPAM_COOLDOWN` after a release */
  attributes(addressText: string): Promise<AddressAttributes> {
    const address = parseAddress(addressText);
    return this.#run(async (transaction, facts) => {
      const cidr = await facts.blockOf(address);
      if (cidr !== undefined) await facts.refresh(cidr);
      const block = cidr === undefined ? undefined : await transaction.get({ kind: 'IPAMBlock', name: cidr });
      const ordinal = block && ordinalOf(block, address);
      const attribute = ordinal === undefined ? undefined : block && attributeAt(block, ordinal);
      const text = formatAddress(address);
      if (block === undefined || attribute === undefined) throw isNotAssigned(text);
      if (attribute.releasedAt !== undefined) throw coolsDown(text, attribute.releasedAt);
      return {
        address: text,
        block: block.cidr,
        affinity: block.affinity,
        handleId: attribute.handle_id,
        attributes: attribute.secondary ?? {},
        alternateAttributes: attribute.alternateOwnerAttrs ?? {},
        sequence: block.sequenceNumberForAllocation?.[String(ordinal)],
      };
    });
  }

  /** How full each pool and block is. */
  utilization(): Promise<readonly PoolUtilization[]> {
    return readUtilization(this.#datastore);
  }

  /**
   * Gives a host all blocks of a range, which lies in a pool and is at least one block: beforehand, where blocks are not claimed as
   * addresses are needed.
   *
   * @throws {ValidationError} `ERR_CALI_IPAM_REQUEST`
   */
  async claimAffinity(cidr: string, hostname: string): Promise<ClaimResult> {
    const claimed: string[] = [];
    const refused: string[] = [];
    for (const block of blocksOf(await readPools(this.#datastore), cidr)) {
      try {
        await this.#run(async (transaction, facts) => {
          const value = await claimBlock(transaction, ownerOf(hostname), block, await facts.time());
          transaction.set(blockKey(block), written(value));
        });
        claimed.push(block);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        refused.push(block);
      }
    }
    return { claimed, refused };
  }

  /** Gives up one block of a host, or of a virtual owner. @throws {ConflictError} `ERR_CALI_IPAM_BLOCK_IN_USE` when it must be empty and is not */
  releaseAffinity(
    cidr: string,
    owner: string,
    options: { readonly mustBeEmpty: boolean; readonly isVirtual?: boolean },
  ): Promise<void> {
    const { mustBeEmpty, isVirtual } = options;
    return this.#run(async (transaction, facts) => {
      const time = await facts.time();
      await releaseAffinity(transaction, ownerOf(owner, isVirtual), cidr, { ...time, mustBeEmpty });
    });
  }

  /** Gives up all blocks of a host; those in use stay and belong to nobody. For a host that leaves. */
  async releaseHostAffinities(hostname: string): Promise<void> {
    const owner = ownerOf(hostname);
    const { items } = await this.#datastore.list('BlockAffinity', { namePrefix: `${affinityText(owner)}/` });
    await Promise.all(
      items.flatMap(({ key }) => {
        const cidr = parseBlockAffinityName(key.name)?.cidr;
        return cidr === undefined ? [] : [this.releaseAffinity(cidr, hostname, { mustBeEmpty: false })];
      }),
    );
  }

  async #assign(transaction: IpamTransaction, facts: Facts, request: FamilyRequest): Promise<FamilyResult> {
    const { family, count } = request;
    if (count === 0) return { family, requested: 0, addresses: [], messages: [] };
    return new Assignment(transaction, facts, request, this.#random).run();
  }

  #run<T>(work: (transaction: IpamTransaction, facts: Facts) => Promise<T>): Promise<T> {
    return this.#commits.run((transaction) => {
      let facts = this.#facts.get(transaction);
      if (facts === undefined) {
        facts = new Facts(this.#datastore, transaction, this.#clock.wallMs());
        this.#facts.set(transaction, facts);
      }
      return work(transaction, facts);
    });
  }
}

function holderOf({ handleId, attributes }: Pick<AutoAssignRequest, 'handleId' | 'attributes'>) {
  return { handleId: handleId === undefined ? undefined : cleanHandleId(handleId), attributes };
}

/** Why a family got fewer addresses than asked for; undefined when it did not. */
export function explainShortfall(result: FamilyResult): CalicoError | undefined {
  const { addresses, requested, family, messages } = result;
  if (addresses.length >= requested) return undefined;
  return new CalicoError(
    'ERR_CALI_IPAM_EXHAUSTED',
    `Assigned ${addresses.length} out of ${requested} requested IPv${family} addresses; ${messages.join('; ')}`,
    { hint: 'add an IPPool, or see who holds them with: calicoctl ipam show --show-blocks' },
  );
}
