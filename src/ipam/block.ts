import type { IPAMBlock, IPAMBlockAttribute } from '../api/kinds/ipam-block.js';
import { type Address, addToAddress, formatAddress } from '../net/address.js';
import { addressInPrefix, formatPrefix, networkOf, parsePrefix, type Prefix } from '../net/prefix.js';
import { coolsDownStill, hasOtherHandle, hasOtherSequence, isAssignedAlready } from './errors.js';

/**
 * Arithmetic on one block of addresses, as stored. A function returns a new block and leaves the old alone; {@link written} counts the
 * write. Ordinal n is the nth address of the block; network and broadcast address are addresses like any other.
 */

/** Who takes an address: becomes, or finds, an attribute of the block. */
export interface Holder {
  readonly handleId?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** Reserved addresses of Windows hosts do not keep a block alive. */
export const WINDOWS_HANDLE = 'windows-reserved-ipam-handle';

export interface NewBlock {
  readonly cidr: string;
  /** `host:<node>` or `virtual:<name>`. */
  readonly affinity?: string;
  readonly nowMs: number;
}

/** RFC 3339 in whole seconds. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

export function createBlock({ cidr, affinity, nowMs }: NewBlock): IPAMBlock {
  const prefix = parsePrefix(cidr);
  const size = 2 ** ((prefix.address.family === 4 ? 32 : 128) - prefix.length);
  const claim = affinity === undefined ? {} : { affinity, affinity_claim_time: timestamp(nowMs) };
  return {
    cidr,
    ...claim,
    allocations: Array.from({ length: size }, () => null),
    unallocated: Array.from({ length: size }, (_, ordinal) => ordinal),
    attributes: [],
    sequenceNumber: BigInt(Math.floor(nowMs)) * 1_000_000n,
    sequenceNumberForAllocation: {},
    deleted: false,
  };
}

/** The block as it goes to the store: every write counts. */
export function written(block: IPAMBlock): IPAMBlock {
  return { ...block, sequenceNumber: (block.sequenceNumber ?? 0n) + 1n };
}

/** The block in which an address lies, for a block size (prefix length). */
export function blockCidrOf(address: Address, blockSize: number): string {
  return formatPrefix(networkOf({ address, length: blockSize }));
}

export function addressAt(block: IPAMBlock, ordinal: number): Address {
  return addToAddress(parsePrefix(block.cidr).address, ordinal);
}

/** With the block's own mask, as assignments are reported: `192.168.0.1/26`. */
export function addressWithMask(block: IPAMBlock, ordinal: number): string {
  return formatPrefix({ address: addressAt(block, ordinal), length: parsePrefix(block.cidr).length });
}

/** Position of an address in the block, undefined when it lies outside. */
export function ordinalOf(block: IPAMBlock, address: Address): number | undefined {
  const prefix: Prefix = parsePrefix(block.cidr);
  if (!addressInPrefix(address, prefix)) return undefined;
  const last = (a: Address): number => (a.family === 4 ? a.value : a.words[3]);
  return last(address) - last(prefix.address);
}

/** Addresses that are not free; those cooling down count. */
export function usedCount(block: IPAMBlock): number {
  return block.allocations.length - block.unallocated.length;
}

/** Addresses that were released and that nobody may have yet. */
export function coolingCount(block: IPAMBlock): number {
  return block.allocations.filter((index) => index !== null && block.attributes[index]?.releasedAt !== undefined)
    .length;
}

export function isFull(block: IPAMBlock): boolean {
  return block.unallocated.length === 0;
}

/** True when nobody holds an address of it and none cools down. */
export function isEmpty(block: IPAMBlock): boolean {
  return block.allocations.every((index) => index === null || block.attributes[index]?.handle_id === WINDOWS_HANDLE);
}

export function attributeAt(block: IPAMBlock, ordinal: number): IPAMBlockAttribute | undefined {
  const index = block.allocations[ordinal];
  return index === null || index === undefined ? undefined : block.attributes[index];
}

/** Assigned ordinals, ascending; with a handle, those it holds. */
export function ordinalsOf(block: IPAMBlock, handleId?: string): number[] {
  const ordinals: number[] = [];
  for (const [ordinal, index] of block.allocations.entries()) {
    if (index === null) continue;
    const attribute = block.attributes[index];
    if (attribute?.releasedAt !== undefined) continue;
    if (handleId === undefined || attribute?.handle_id === handleId) ordinals.push(ordinal);
  }
  return ordinals;
}

function sameText(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function isAttributeOf(attribute: IPAMBlockAttribute, holder: Holder): boolean {
  return (
    attribute.releasedAt === undefined &&
    attribute.alternateOwnerAttrs === undefined &&
    attribute.handle_id === holder.handleId &&
    sameText(attribute.secondary, holder.attributes)
  );
}

/** The attributes with the holder's among them, and its index. */
function withHolder(block: IPAMBlock, holder: Holder): { attributes: readonly IPAMBlockAttribute[]; index: number } {
  const index = block.attributes.findIndex((attribute) => isAttributeOf(attribute, holder));
  if (index >= 0) return { attributes: block.attributes, index };
  const attribute: IPAMBlockAttribute = {
    ...(holder.handleId === undefined ? {} : { handle_id: holder.handleId }),
    ...(holder.attributes === undefined ? {} : { secondary: holder.attributes }),
  };
  return { attributes: [...block.attributes, attribute], index: block.attributes.length };
}

function take(block: IPAMBlock, ordinals: readonly number[], holder: Holder): IPAMBlock {
  const { attributes, index } = withHolder(block, holder);
  const allocations = [...block.allocations];
  const sequenceNumberForAllocation = { ...block.sequenceNumberForAllocation };
  for (const ordinal of ordinals) {
    allocations[ordinal] = index;
    sequenceNumberForAllocation[String(ordinal)] = block.sequenceNumber ?? 0n;
  }
  const taken = new Set(ordinals);
  const unallocated = block.unallocated.filter((ordinal) => !taken.has(ordinal));
  return { ...block, allocations, unallocated, attributes, sequenceNumberForAllocation };
}

/**
 * Takes up to `count` addresses, the longest free ones first, so that an address just released comes back last. Reserved ones keep
 * their place among the free.
 */
export function autoAssign(
  block: IPAMBlock,
  count: number,
  holder: Holder,
  reservations?: { has(address: Address): boolean },
): { readonly block: IPAMBlock; readonly ordinals: readonly number[] } {
  const ordinals: number[] = [];
  for (const ordinal of block.unallocated) {
    if (ordinals.length >= count) break;
    if (reservations?.has(addressAt(block, ordinal)) !== true) ordinals.push(ordinal);
  }
  return ordinals.length === 0 ? { block, ordinals } : { block: take(block, ordinals, holder), ordinals };
}

/** Takes one given address. @throws {AlreadyExistsError} `ERR_CALI_IPAM_ASSIGNED`, also while it cools down */
export function assign(block: IPAMBlock, ordinal: number, holder: Holder): IPAMBlock {
  if (block.allocations[ordinal] !== null) {
    const address = formatAddress(addressAt(block, ordinal));
    const releasedAt = attributeAt(block, ordinal)?.releasedAt;
    throw releasedAt === undefined ? isAssignedAlready(address) : coolsDownStill(address, releasedAt);
  }
  return take(block, [ordinal], holder);
}

/** One address to give back. What is said of handle and sequence number must be true. */
export interface OrdinalRelease {
  readonly ordinal: number;
  readonly handleId?: string | undefined;
  readonly sequence?: bigint | undefined;
}

export interface Released {
  readonly block: IPAMBlock;
  /** Ordinals given back, each with the handle that held it. */
  readonly released: readonly { readonly ordinal: number; readonly handleId: string | undefined }[];
  /** Ordinals that were free already, or cool down. */
  readonly unallocated: readonly number[];
}

function checkRelease(block: IPAMBlock, request: OrdinalRelease): void {
  const { ordinal, handleId, sequence } = request;
  const address = (): string => formatAddress(addressAt(block, ordinal));
  const holder = attributeAt(block, ordinal)?.handle_id;
  if (handleId !== undefined && holder !== handleId) throw hasOtherHandle(address(), handleId, holder);
  const stored = block.sequenceNumberForAllocation?.[String(ordinal)];
  if (sequence !== undefined && stored !== sequence) throw hasOtherSequence(address(), sequence, stored);
}

/**
 * Gives addresses back; they cool down until {@link collectGarbage} frees them.
 *
 * @throws {ConflictError} `ERR_CALI_IPAM_OTHER_HANDLE`, `ERR_CALI_IPAM_OTHER_SEQUENCE`: nothing of the request is done
 */
export function release(block: IPAMBlock, requests: readonly OrdinalRelease[], nowMs: number): Released {
  const released: { ordinal: number; handleId: string | undefined }[] = [];
  const unallocated: number[] = [];
  const seen = new Set<number>();
  const allocations = [...block.allocations];
  const sequenceNumberForAllocation = { ...block.sequenceNumberForAllocation };
  const markerIndex = block.attributes.length;
  for (const request of requests) {
    const { ordinal } = request;
    if (seen.has(ordinal)) continue;
    seen.add(ordinal);
    const attribute = attributeAt(block, ordinal);
    if (allocations[ordinal] === null || attribute?.releasedAt !== undefined) {
      unallocated.push(ordinal);
      continue;
    }
    checkRelease(block, request);
    allocations[ordinal] = markerIndex;
    sequenceNumberForAllocation[String(ordinal)] = block.sequenceNumber ?? 0n;
    released.push({ ordinal, handleId: attribute?.handle_id });
  }
  if (released.length === 0) return { block, released, unallocated };
  const attributes = [...block.attributes, { releasedAt: new Date(nowMs).toISOString() }];
  return { block: { ...block, allocations, attributes, sequenceNumberForAllocation }, released, unallocated };
}

/** Drops attributes that no address refers to and numbers the others anew. */
function prune(block: IPAMBlock): IPAMBlock {
  const newIndex = new Map<number, number>();
  const attributes: IPAMBlockAttribute[] = [];
  const used = new Set(block.allocations);
  for (const [index, attribute] of block.attributes.entries()) {
    if (!used.has(index)) continue;
    newIndex.set(index, attributes.length);
    attributes.push(attribute);
  }
  if (attributes.length === block.attributes.length) return block;
  const allocations = block.allocations.map((index) => (index === null ? null : (newIndex.get(index) ?? null)));
  return { ...block, allocations, attributes };
}

/** Frees what has cooled down, at the tail of the queue; done with every read, stored by the next write. */
export function collectGarbage(block: IPAMBlock, nowMs: number, cooldownSeconds: number): IPAMBlock {
  const isCold = block.attributes.map(
    ({ releasedAt }) => releasedAt !== undefined && Date.parse(releasedAt) <= nowMs - cooldownSeconds * 1_000,
  );
  if (!isCold.includes(true)) return prune(block);
  const allocations = [...block.allocations];
  const unallocated = [...block.unallocated];
  const sequenceNumberForAllocation = { ...block.sequenceNumberForAllocation };
  for (const [ordinal, index] of block.allocations.entries()) {
    if (index === null || isCold[index] !== true) continue;
    allocations[ordinal] = null;
    unallocated.push(ordinal);
    delete sequenceNumberForAllocation[String(ordinal)];
  }
  return prune({ ...block, allocations, unallocated, sequenceNumberForAllocation });
}

/** The block without owner: it lives on while addresses of it are held. */
export function withoutAffinity(block: IPAMBlock): IPAMBlock {
  const { affinity: _, affinity_claim_time: __, ...rest } = block;
  return rest;
}
