import { addToAddress, formatAddress, parseAddress } from '../net/address.js';
import { tryParsePrefix } from '../net/prefix.js';
import { type AddressUse, tunnelUses, workloadUses } from './address-uses.js';
import { attributeAt, ordinalsOf, WINDOWS_HANDLE } from './block.js';
import { checkBlocks } from './check-blocks.js';
import type { IpamSnapshot } from './check-snapshot.js';
import { type Pool, poolFrom, poolOfAddress } from './pools.js';

/** Reports name these: they stay the same. */
export type ProblemType =
  /** Allocated, and nobody uses it. */
  | 'leaked'
  /** Used, lies in an enabled pool, and is not allocated. */
  | 'not-allocated'
  | 'used-twice'
  | 'allocated-twice'
  | 'handle-without-addresses'
  /** Addresses name a handle that does not exist, or that counts fewer of them. */
  | 'handle-missing'
  | 'affinity-without-block'
  /** Whose block belongs to somebody else. */
  | 'affinity-contradicts'
  | 'affinity-unfinished'
  | 'block-without-affinity'
  | 'block-outside-pools'
  | 'block-of-missing-node'
  | 'block-damaged'
  | 'blocks-overlap'
  | 'unreadable';

/** One thing that is wrong. */
export interface Problem {
  readonly type: ProblemType;
  /** The address, block, handle or affinity. */
  readonly subject: string;
  /** For people. */
  readonly text: string;
}

/** An address that a block says is assigned. */
export interface Allocation {
  readonly address: string;
  readonly block: string;
  readonly handleId: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the assignment: a release that names it leaves a later one alone. */
  readonly sequence: bigint | undefined;
  readonly isLeaked: boolean;
}

export interface CheckResult {
  readonly allocations: readonly Allocation[];
  /** By address. */
  readonly uses: ReadonlyMap<string, readonly AddressUse[]>;
  readonly tunnelUses: number;
  readonly workloadUses: number;
  readonly notAllocated: readonly AddressUse[];
  /** Used, in no enabled pool, and not allocated: not IPAM's business. */
  readonly outsidePools: readonly AddressUse[];
  /** Handles that hold nothing, with their revisions. */
  readonly emptyHandles: readonly { readonly id: string; readonly revision: string }[];
  readonly handles: number;
  /** Everything that is wrong, what the lists above name included. */
  readonly problems: readonly Problem[];
}

/** Addresses that are held without anything in the datastore that uses them. */
function needsNoUser(
  handleId: string | undefined,
  attributes: Allocation['attributes'],
  affinity: string | undefined,
): boolean {
  return (
    handleId === WINDOWS_HANDLE ||
    affinity === 'virtual:load-balancer' ||
    attributes['type'] === 'LoadBalancer' ||
    attributes['service'] !== undefined
  );
}

function usesByAddress(uses: readonly AddressUse[]): Map<string, AddressUse[]> {
  const byAddress = new Map<string, AddressUse[]>();
  for (const use of uses) {
    const others = byAddress.get(use.address);
    if (others === undefined) byAddress.set(use.address, [use]);
    else others.push(use);
  }
  return byAddress;
}

function allocationsOf(snapshot: IpamSnapshot, uses: ReadonlyMap<string, unknown>): readonly Allocation[] {
  const allocations: Allocation[] = [];
  for (const { value: block } of snapshot.blocks) {
    const first = tryParsePrefix(block.cidr)?.address;
    if (first === undefined) continue;
    for (const ordinal of ordinalsOf(block)) {
      const { handle_id: handleId, secondary: attributes = {} } = attributeAt(block, ordinal) ?? {};
      const address = formatAddress(addToAddress(first, ordinal));
      const sequence = block.sequenceNumberForAllocation?.[String(ordinal)];
      const isLeaked = !uses.has(address) && !needsNoUser(handleId, attributes, block.affinity);
      allocations.push({ address, block: block.cidr, handleId, attributes, sequence, isLeaked });
    }
  }
  return allocations;
}

/** Who an allocation says it is for: `handle "net.a1" (namespace: shop, node: h1, pod: web)`. */
export function describeHolder({ handleId, attributes }: Allocation): string {
  const said = Object.keys(attributes)
    .toSorted()
    .map((key) => `${key}: ${attributes[key] ?? ''}`);
  const handle = handleId === undefined ? 'no handle' : `handle "${handleId}"`;
  return said.length === 0 ? handle : `${handle} (${said.join(', ')})`;
}

function allocationProblems(allocations: readonly Allocation[]): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  for (const allocation of allocations) {
    const { address, block, isLeaked } = allocation;
    const other = seen.get(address);
    if (other !== undefined) {
      const text = `${address} is allocated in two blocks: ${other} and ${block}`;
      problems.push({ type: 'allocated-twice', subject: address, text });
    }
    seen.set(address, block);
    if (isLeaked) {
      const text = `${address} is allocated but not in use: ${describeHolder(allocation)}`;
      problems.push({ type: 'leaked', subject: address, text });
    }
  }
  return problems;
}

function useProblems(uses: ReadonlyMap<string, readonly AddressUse[]>, notAllocated: readonly AddressUse[]): Problem[] {
  const twice = [...uses].filter(([, all]) => new Set(all.map(({ by }) => by)).size > 1);
  return [
    ...notAllocated.map(({ address, by }): Problem => ({
      type: 'not-allocated',
      subject: address,
      text: `${address} is in use by ${by} but not allocated`,
    })),
    ...twice.map(([address, all]): Problem => ({
      type: 'used-twice',
      subject: address,
      text: `${address} is in use by ${all.map(({ by }) => by).join(' and ')}`,
    })),
  ];
}

/** What a handle holds of one block. */
interface Holding {
  readonly handleId: string;
  readonly block: string;
  count: number;
}

function holdingsOf(allocations: readonly Allocation[]): readonly Holding[] {
  const holdings = new Map<string, Holding>();
  for (const { handleId, block } of allocations) {
    if (handleId === undefined) continue;
    const key = `${block} ${handleId}`;
    const holding = holdings.get(key);
    if (holding === undefined) holdings.set(key, { handleId, block, count: 1 });
    else holding.count += 1;
  }
  return Array.from(holdings.values());
}

function handleProblems(snapshot: IpamSnapshot, holdings: readonly Holding[]): readonly Problem[] {
  const stored = new Map(snapshot.handles.map(({ key, value }) => [key.name, value]));
  const problems: Problem[] = [];
  for (const { handleId, block, count } of holdings) {
    const counted = stored.get(handleId)?.block[block] ?? 0;
    // Too high is what a crash may leave, and harmless; too low loses addresses.
    if (handleId === WINDOWS_HANDLE || counted >= count) continue;
    const text = stored.has(handleId)
      ? `handle "${handleId}" holds ${count} addresses of block ${block} and counts ${counted}`
      : `block ${block} names handle "${handleId}", which does not exist`;
    problems.push({ type: 'handle-missing', subject: handleId, text });
  }
  return problems;
}

function isInEnabledPool(pools: readonly Pool[], address: string): boolean {
  return poolOfAddress(pools, parseAddress(address))?.isEnabled === true;
}

/**
 * Compares what blocks, handles, affinities, nodes and workloads say of each other. Pure, and linear in how much there is.
 *
 * What is under way looks like damage: an address is allocated before its workload is written. So check twice, or a locked datastore.
 */
export function checkIpam(snapshot: IpamSnapshot): CheckResult {
  const pools = snapshot.pools.flatMap(({ value }) => poolFrom(value) ?? []);
  const ofTunnels = tunnelUses(snapshot.nodes);
  const ofWorkloads = workloadUses(snapshot.endpoints);
  const uses = usesByAddress([...ofTunnels, ...ofWorkloads]);
  const allocations = allocationsOf(snapshot, uses);
  const allocated = new Set(allocations.map(({ address }) => address));
  const unallocated = [...uses].flatMap(([address, all]) => (allocated.has(address) ? [] : all.slice(0, 1)));
  const inPools = new Set(unallocated.filter(({ address }) => isInEnabledPool(pools, address)));
  const notAllocated = [...inPools];
  const holdings = holdingsOf(allocations);
  const held = new Set(holdings.map(({ handleId }) => handleId));
  const emptyHandles = snapshot.handles
    .filter(({ key }) => !held.has(key.name))
    .map(({ key, revision }) => ({ id: key.name, revision }));
  return {
    allocations,
    uses,
    tunnelUses: ofTunnels.length,
    workloadUses: ofWorkloads.length,
    notAllocated,
    outsidePools: unallocated.filter((use) => !inPools.has(use)),
    emptyHandles,
    handles: snapshot.handles.length,
    problems: [
      ...snapshot.unreadable.map((text): Problem => ({ type: 'unreadable', subject: text, text })),
      ...checkBlocks(snapshot),
      ...allocationProblems(allocations),
      ...useProblems(uses, notAllocated),
      ...emptyHandles.map(({ id }): Problem => ({
        type: 'handle-without-addresses',
        subject: id,
        text: `handle "${id}" holds no address`,
      })),
      ...handleProblems(snapshot, holdings),
    ],
  };
}
