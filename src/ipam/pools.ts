import type { IPAMConfiguration } from '../api/kinds/ipam-configuration.js';
import { defaultBlockSize, type IPPool } from '../api/kinds/ip-pool.js';
import { ifFound } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';
import { addToAddress, type Address, addressBits, type Family } from '../net/address.js';
import {
  addressInPrefix,
  formatPrefix,
  parsePrefix,
  type Prefix,
  prefixContains,
  tryParsePrefix,
} from '../net/prefix.js';
import { matchesSelector } from '../selector/evaluate.js';
import { parseSelector } from '../selector/parser.js';
import { requestIsBad } from './errors.js';

/** What an address is for; pools say which uses they allow. */
export type IntendedUse = 'Workload' | 'Tunnel' | 'LoadBalancer';

/** A pool as IPAM uses it. */
export interface Pool {
  readonly name: string;
  readonly cidr: string;
  readonly prefix: Prefix;
  readonly blockSize: number;
  readonly isEnabled: boolean;
  readonly spec: IPPool['spec'];
}

function isAllocatable({ status }: IPPool): boolean {
  if (typeof status !== 'object' || status === null || !('conditions' in status)) return true;
  const conditions: unknown = status.conditions;
  if (!Array.isArray(conditions)) return true;
  return !conditions.some((condition: unknown) => {
    if (typeof condition !== 'object' || condition === null) return false;
    return (
      'type' in condition && condition.type === 'Allocatable' && 'status' in condition && condition.status === 'False'
    );
  });
}

/** A pool as IPAM uses it; undefined where its CIDR cannot be read. */
export function poolFrom(resource: IPPool): Pool | undefined {
  const { spec, metadata } = resource;
  const prefix = tryParsePrefix(spec.cidr);
  if (prefix === undefined) return undefined;
  const isBeingDeleted = 'deletionTimestamp' in metadata && metadata.deletionTimestamp !== undefined;
  return {
    name: metadata.name,
    cidr: formatPrefix(prefix),
    prefix,
    blockSize: spec.blockSize ?? defaultBlockSize(prefix.address.family),
    isEnabled: spec.disabled !== true && !isBeingDeleted && isAllocatable(resource),
    spec,
  };
}

/** Every pool, sorted by name, which is the order in which they are used. */
export async function readPools(datastore: Datastore): Promise<readonly Pool[]> {
  const { items } = await datastore.list('IPPool');
  return items.flatMap(({ value }) => poolFrom(value) ?? []);
}

/** The configuration in force: what is not said is as upstream's default. */
export interface IpamSettings {
  readonly isStrict: boolean;
  readonly mayClaim: boolean;
  /** 0: none configured. */
  readonly maxBlocksPerHost: number;
  readonly cooldownSeconds: number;
  /** Whether a virtual machine keeps its address when it moves. */
  readonly kubeVirtPersistence: 'Enabled' | 'Disabled';
}

export function settingsFrom(configuration: IPAMConfiguration | undefined): IpamSettings {
  return {
    isStrict: configuration?.spec.strictAffinity ?? false,
    mayClaim: configuration?.spec.autoAllocateBlocks ?? true,
    maxBlocksPerHost: configuration?.spec.maxBlocksPerHost ?? 0,
    cooldownSeconds: configuration?.spec.ipCooldownSeconds ?? 0,
    kubeVirtPersistence: configuration?.spec.kubeVirtVMAddressPersistence ?? 'Enabled',
  };
}

export async function readSettings(datastore: Datastore): Promise<IpamSettings> {
  return settingsFrom((await ifFound(datastore.get({ kind: 'IPAMConfiguration', name: 'default' })))?.value);
}

type LabelsOf = Readonly<Record<string, string>>;

function selects(selectorText: string | undefined, labels: LabelsOf): boolean {
  if (selectorText === undefined || selectorText.trim() === '') return true;
  return matchesSelector(parseSelector(selectorText), new Map(Object.entries(labels)));
}

/** Pools that may serve a host, whatever is asked for. */
export function selectsNode(pool: Pool, nodeLabels: LabelsOf): boolean {
  return selects(pool.spec.nodeSelector, nodeLabels);
}

export interface PoolRequest {
  readonly family: Family;
  readonly use: IntendedUse;
  readonly nodeName: string;
  readonly nodeLabels: LabelsOf;
  /** Absent: no namespace, and no labels. */
  readonly namespaceLabels?: LabelsOf | undefined;
  /** Names or CIDRs; given ones override selectors and assignment mode. */
  readonly requested?: readonly string[] | undefined;
}

function requestedPools(pools: readonly Pool[], requested: readonly string[]): readonly Pool[] {
  return requested.map((text) => {
    const prefix = tryParsePrefix(text);
    const cidr = prefix === undefined ? undefined : formatPrefix(prefix);
    const pool = pools.find(({ name, cidr: poolCidr }) => name === text || poolCidr === cidr);
    if (pool === undefined) {
      throw requestIsBad(
        `the given pool (${text}) does not exist, or is not enabled`,
        'see the pools with: calicoctl get ippool -o wide',
      );
    }
    return pool;
  });
}

/**
 * The pools from which a request is served, in their order.
 *
 * @throws {ValidationError} `ERR_CALI_IPAM_REQUEST`: a given pool is not there, or none fits
 */
export function choosePools(pools: readonly Pool[], request: PoolRequest): readonly Pool[] {
  const enabled = pools.filter((pool) => pool.isEnabled && pool.prefix.address.family === request.family);
  const { requested = [] } = request;
  const chosen =
    requested.length > 0
      ? requestedPools(enabled, requested)
      : enabled.filter(
          (pool) =>
            pool.spec.assignmentMode !== 'Manual' &&
            selectsNode(pool, request.nodeLabels) &&
            selects(pool.spec.namespaceSelector, request.namespaceLabels ?? {}),
        );
  if (chosen.length === 0) {
    throw requestIsBad(
      `no IPv${request.family} pool is enabled for node "${request.nodeName}"`,
      `add one with: calicoctl pool add CIDR`,
    );
  }
  const allowed = chosen.filter((pool) => (pool.spec.allowedUses ?? ['Workload', 'Tunnel']).includes(request.use));
  if (allowed.length === 0) {
    const names = chosen.map((pool) => `"${pool.name}"`).join(', ');
    throw requestIsBad(`no pool among ${names} allows use ${request.use}`, `add ${request.use} to their allowedUses`);
  }
  return allowed;
}

export function poolOfAddress(pools: readonly Pool[], address: Address): Pool | undefined {
  return pools.find((pool) => addressInPrefix(address, pool.prefix));
}

/** The pool in which a block lies whole. */
export function poolOfBlock(pools: readonly Pool[], cidr: string): Pool | undefined {
  const block = parsePrefix(cidr);
  return pools.find((pool) => prefixContains(pool.prefix, block));
}

/** Number of addresses; exact up to 2^53. */
export function capacityOf(prefix: Prefix): number {
  return 2 ** (addressBits(prefix.address.family) - prefix.length);
}

/**
 * CIDRs of the blocks that a range consists of.
 *
 * @throws {ValidationError} `ERR_CALI_IPAM_REQUEST` it lies in no pool, or is smaller than a block
 */
export function blocksOf(pools: readonly Pool[], cidr: string): readonly string[] {
  const range = parsePrefix(cidr);
  const pool = pools.find(({ prefix }) => prefixContains(prefix, range));
  if (pool === undefined) throw requestIsBad(`${cidr} lies in no IP pool`);
  if (range.length > pool.blockSize) throw requestIsBad(`${cidr} is smaller than one block (/${pool.blockSize})`);
  const size = 2 ** (addressBits(range.address.family) - pool.blockSize);
  return Array.from({ length: 2 ** (pool.blockSize - range.length) }, (_, index) =>
    formatPrefix({ address: addToAddress(range.address, index * size), length: pool.blockSize }),
  );
}
