import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import type { Family } from '../../net/address.js';
import { canonicalPrefix, type Prefix, prefixesOverlap, tryParsePrefix } from '../../net/prefix.js';
import { integer, selector, strictCidr } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';

const ENCAPSULATION_MODES = ['Never', 'Always', 'CrossSubnet'] as const;

/** Marks a pool that start-up created: while nobody uses it, it gives way to the first pool that somebody asks for. */
export const DEFAULT_POOL_ANNOTATION = 'projectcalico.org/default-pool';

const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'].flatMap((text) => tryParsePrefix(text) ?? []);

/** Bounds and default of the block size by family (addresses per block: 64 in both). */
const BLOCK_SIZES = {
  4: { minimum: 20, maximum: 32, default: 26 },
  6: { minimum: 116, maximum: 128, default: 122 },
} as const;

/** The length of a pool's blocks where the pool does not say it. */
export function defaultBlockSize(family: Family): number {
  return BLOCK_SIZES[family].default;
}

function encapsulates(mode: string | undefined): boolean {
  return mode !== undefined && mode !== 'Never';
}

interface PoolSpec {
  readonly cidr: string;
  readonly blockSize?: number;
  readonly disabled?: boolean;
  readonly ipipMode?: string;
  readonly vxlanMode?: string;
  readonly disableBGPExport?: boolean;
  readonly nodeSelector?: string;
  readonly namespaceSelector?: string;
  readonly allowedUses?: readonly string[];
}

function addressIssues(spec: PoolSpec, pool: Prefix): Issue[] {
  const { family } = pool.address;
  const { minimum, maximum, default: usual } = BLOCK_SIZES[family];
  const { blockSize = usual } = spec;
  const issues: Issue[] = [];
  if (LINK_LOCAL.some((reserved) => prefixesOverlap(reserved, pool))) {
    issues.push(ruleIssue('spec.cidr', `"${spec.cidr}" overlaps with link-local addresses`));
  }
  if (blockSize < minimum || blockSize > maximum) {
    issues.push(
      ruleIssue('spec.blockSize', `${blockSize} is not from ${minimum} to ${maximum}, as IPv${family} needs`),
    );
  } else if (pool.length > blockSize && spec.disabled !== true) {
    issues.push(ruleIssue('spec.cidr', `"${spec.cidr}" is smaller than one block of /${blockSize}`));
  }
  return issues;
}

function modeIssues(spec: PoolSpec, pool: Prefix): Issue[] {
  const issues: Issue[] = [];
  if (encapsulates(spec.ipipMode) && pool.address.family === 6) {
    issues.push(ruleIssue('spec.ipipMode', 'IP in IP not supported for IPv6 pools'));
  }
  if (encapsulates(spec.ipipMode) && encapsulates(spec.vxlanMode)) {
    issues.push(ruleIssue('spec.vxlanMode', 'it excludes ipipMode: one of the two is Never'));
  }
  return issues;
}

function useIssues(spec: PoolSpec): Issue[] {
  const uses = spec.allowedUses ?? ['Workload', 'Tunnel'];
  const issues: Issue[] = [];
  if ((spec.namespaceSelector ?? '') !== '' && uses.includes('Tunnel')) {
    issues.push(ruleIssue('spec.namespaceSelector', 'it excludes the use Tunnel', 'give allowedUses: [Workload]'));
  }
  if (!uses.includes('LoadBalancer')) return issues;
  if (uses.length > 1) issues.push(ruleIssue('spec.allowedUses', 'LoadBalancer stands alone'));
  if (encapsulates(spec.ipipMode) || encapsulates(spec.vxlanMode)) {
    issues.push(ruleIssue('spec.allowedUses', 'LoadBalancer excludes ipipMode and vxlanMode'));
  }
  if (spec.disableBGPExport === true) issues.push(ruleIssue('spec.disableBGPExport', 'LoadBalancer excludes it'));
  if ((spec.nodeSelector ?? 'all()') !== 'all()') {
    issues.push(ruleIssue('spec.nodeSelector', 'LoadBalancer needs all()'));
  }
  return issues;
}

/** What older versions stored in place of ipipMode and natOutgoing. */
interface LegacyPoolFields {
  readonly ipip?: { readonly enabled?: boolean; readonly mode?: string };
  readonly 'nat-outgoing'?: boolean;
}

function legacyIpipMode(ipip: LegacyPoolFields['ipip']): (typeof ENCAPSULATION_MODES)[number] {
  if (ipip?.enabled !== true) return 'Never';
  return ipip.mode === 'cross-subnet' ? 'CrossSubnet' : 'Always';
}

export const ipPool = defineKind({
  kind: 'IPPool',
  plural: 'ippools',
  namespaced: false,
  aliases: ['ipp', 'ipps', 'pool', 'pools'],
  spec: v.strictObject({
    cidr: v.pipe(strictCidr(), v.transform(canonicalPrefix)),
    blockSize: v.exactOptional(integer(20, 128)),
    ipipMode: v.exactOptional(v.picklist(ENCAPSULATION_MODES)),
    vxlanMode: v.exactOptional(v.picklist(ENCAPSULATION_MODES)),
    natOutgoing: v.exactOptional(v.boolean()),
    disabled: v.exactOptional(v.boolean()),
    disableBGPExport: v.exactOptional(v.boolean()),
    nodeSelector: v.exactOptional(selector()),
    namespaceSelector: v.exactOptional(selector()),
    allowedUses: v.exactOptional(v.array(v.picklist(['Workload', 'Tunnel', 'LoadBalancer']))),
    assignmentMode: v.exactOptional(v.picklist(['Automatic', 'Manual'])),
  }),
  crossFieldRules({ spec }) {
    const pool = tryParsePrefix(spec.cidr);
    if (pool === undefined) return [];
    return [...addressIssues(spec, pool), ...modeIssues(spec, pool), ...useIssues(spec)];
  },
  writeDefaults: (spec) => ({
    ...spec,
    blockSize: spec.blockSize ?? defaultBlockSize(tryParsePrefix(spec.cidr)?.address.family ?? 4),
    ipipMode: spec.ipipMode ?? 'Never',
    vxlanMode: spec.vxlanMode ?? 'Never',
    nodeSelector: spec.nodeSelector ?? 'all()',
    allowedUses: spec.allowedUses ?? ['Workload', 'Tunnel'],
    assignmentMode: spec.assignmentMode ?? 'Automatic',
  }),
  readUpgrade(stored) {
    const { ipip, 'nat-outgoing': natOutgoing, ...spec }: typeof stored & LegacyPoolFields = stored;
    return {
      ...spec,
      blockSize: spec.blockSize ?? defaultBlockSize(tryParsePrefix(spec.cidr)?.address.family ?? 4),
      ipipMode: spec.ipipMode ?? legacyIpipMode(ipip),
      vxlanMode: spec.vxlanMode ?? 'Never',
      ...(natOutgoing === true ? { natOutgoing } : {}),
      nodeSelector: spec.nodeSelector ?? 'all()',
      allowedUses: spec.allowedUses ?? ['Workload', 'Tunnel'],
      assignmentMode: spec.assignmentMode ?? 'Automatic',
    };
  },
  examples: {
    valid: { metadata: { name: 'office' }, spec: { cidr: '192.168.0.0/16', natOutgoing: true } },
    wrong: {
      metadata: { name: 'office' },
      spec: { cidr: '10.0.0.0/33' },
      message: 'spec.cidr: "10.0.0.0/33" is not a CIDR: the prefix is at most 32',
    },
  },
});

export type IPPool = ResourceOf<typeof ipPool>;
