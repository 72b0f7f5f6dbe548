import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import {
  address,
  asNumber,
  cidr,
  duration,
  integer,
  interfacePattern,
  listUpTo,
  secretReference,
  wordOf,
} from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';

/** Of nodes that have no AS number of their own, where the cluster's is not set. */
export const DEFAULT_AS_NUMBER = 64512;

/** Fields that mean something for the whole cluster only. */
export const CLUSTER_FIELDS = [
  'nodeToNodeMeshEnabled',
  'asNumber',
  'serviceClusterIPs',
  'serviceExternalIPs',
  'serviceLoadBalancerIPs',
  'nodeMeshPassword',
  'nodeMeshMaxRestartTime',
] as const;

const LIST_LIMIT = 500;
const COMMUNITIES_PER_PREFIX = 50;

/** `aa:nn` of 16-bit parts, or `aa:nn:mm` of 32-bit parts (RFC 1997, RFC 8092). */
export function isCommunityValue(text: string): boolean {
  const parts = text.split(':');
  const limit = parts.length === 2 ? 2 ** 16 : 2 ** 32;
  if (parts.length !== 2 && parts.length !== 3) return false;
  return parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) < limit);
}

interface CommunityFields {
  readonly communities?: readonly { readonly name: string; readonly value: string }[];
  readonly prefixAdvertisements?: readonly { readonly communities?: readonly string[] }[];
}

function communityIssues({ communities = [], prefixAdvertisements = [] }: CommunityFields): Issue[] {
  const issues: Issue[] = [];
  if (communities.length > 0 && prefixAdvertisements.length === 0) {
    issues.push(ruleIssue('spec.communities', 'they need prefixAdvertisements'));
  }
  for (const [index, { value }] of communities.entries()) {
    if (!isCommunityValue(value)) {
      issues.push(ruleIssue(`spec.communities[${index}].value`, `"${value}" is not a community: aa:nn or aa:nn:mm`));
    }
  }
  const names = new Set(communities.map(({ name }) => name));
  for (const [index, { communities: used = [] }] of prefixAdvertisements.entries()) {
    const where = `spec.prefixAdvertisements[${index}].communities`;
    for (const [at, text] of used.entries()) {
      if (!names.has(text) && !isCommunityValue(text)) {
        issues.push(ruleIssue(`${where}[${at}]`, `"${text}" is neither a community nor the name of one`));
      }
    }
  }
  return issues;
}

const advertisedBlocks = () => v.exactOptional(v.array(v.strictObject({ cidr: cidr() })));

export const bgpConfiguration = defineKind({
  kind: 'BGPConfiguration',
  plural: 'bgpconfigurations',
  namespaced: false,
  aliases: ['bgpconfig', 'bgpconfigs'],
  spec: v.strictObject({
    logSeverityScreen: v.exactOptional(wordOf(['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'])),
    nodeToNodeMeshEnabled: v.exactOptional(v.boolean()),
    asNumber: v.exactOptional(asNumber()),
    serviceClusterIPs: advertisedBlocks(),
    serviceExternalIPs: advertisedBlocks(),
    serviceLoadBalancerIPs: advertisedBlocks(),
    serviceLoadBalancerAggregation: v.exactOptional(v.picklist(['Enabled', 'Disabled'])),
    communities: v.exactOptional(listUpTo(LIST_LIMIT, v.strictObject({ name: v.string(), value: v.string() }))),
    prefixAdvertisements: v.exactOptional(
      listUpTo(
        LIST_LIMIT,
        v.strictObject({ cidr: cidr(), communities: v.exactOptional(listUpTo(COMMUNITIES_PER_PREFIX, v.string())) }),
      ),
    ),
    listenPort: v.exactOptional(integer(1, 65535)),
    nodeMeshPassword: v.exactOptional(secretReference()),
    nodeMeshMaxRestartTime: v.exactOptional(duration()),
    bindMode: v.exactOptional(v.picklist(['None', 'NodeIP'])),
    ignoredInterfaces: v.exactOptional(v.array(interfacePattern(false))),
    localWorkloadPeeringIPV4: v.exactOptional(address(4)),
    localWorkloadPeeringIPV6: v.exactOptional(address(6)),
    programClusterRoutes: v.exactOptional(v.picklist(['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'])),
    ipv4NormalRoutePriority: v.exactOptional(integer(1, 2147483646)),
    ipv6NormalRoutePriority: v.exactOptional(integer(1, 2147483646)),
  }),
  explainBadName: (name) =>
    name === 'default' || /^node\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)
      ? undefined
      : `"${name}" is neither "default" nor "node.<node>"`,
  crossFieldRules({ metadata, spec }) {
    const issues =
      metadata.name === 'default'
        ? []
        : CLUSTER_FIELDS.filter((field) => spec[field] !== undefined).map((field) =>
            ruleIssue(`spec.${field}`, 'it may stand in "default" only'),
          );
    for (const field of ['nodeMeshPassword', 'nodeMeshMaxRestartTime'] as const) {
      if (spec[field] !== undefined && spec.nodeToNodeMeshEnabled === false) {
        issues.push(ruleIssue(`spec.${field}`, 'it needs nodeToNodeMeshEnabled'));
      }
    }
    return [...issues, ...communityIssues(spec)];
  },
  examples: {
    valid: { metadata: { name: 'default' }, spec: { asNumber: 64512, nodeToNodeMeshEnabled: true } },
    wrong: {
      metadata: { name: 'default' },
      spec: { asNumber: 4294967296 },
      message: 'spec.asNumber: "4294967296" is not an AS number: write 0 to 4294967295 or high.low',
    },
  },
});

export type BGPConfiguration = ResourceOf<typeof bgpConfiguration>;
