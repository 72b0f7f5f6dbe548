import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { asNumber, cidr, integer, interfacePattern, textField } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { isCommunityValue } from './bgp-configuration.js';

const LISTS = ['exportV4', 'importV4', 'exportV6', 'importV6'] as const;
const OPERATIONS_LIMIT = 10;
const PREPENDED_LIMIT = 10;
const PRIORITY_MAX = 2147483646;

function community() {
  return textField('a community, aa:nn or aa:nn:mm', (text) =>
    isCommunityValue(text) ? undefined : `"${text}" is not a community: aa:nn or aa:nn:mm`,
  );
}

const operation = v.strictObject({
  addCommunity: v.exactOptional(v.strictObject({ value: community() })),
  prependASPath: v.exactOptional(v.strictObject({ prefix: v.array(asNumber()) })),
  setPriority: v.exactOptional(v.strictObject({ value: integer(1, PRIORITY_MAX) })),
});

function filterRule(family: 4 | 6) {
  const length = integer(0, family === 4 ? 32 : 128);
  return v.strictObject({
    cidr: v.exactOptional(cidr(family)),
    matchOperator: v.exactOptional(v.picklist(['Equal', 'NotEqual', 'In', 'NotIn'])),
    prefixLength: v.exactOptional(v.strictObject({ min: v.exactOptional(length), max: v.exactOptional(length) })),
    source: v.exactOptional(v.picklist(['RemotePeers'])),
    interface: v.exactOptional(interfacePattern(true)),
    peerType: v.exactOptional(v.picklist(['eBGP', 'iBGP'])),
    communities: v.exactOptional(v.strictObject({ values: v.array(community()) })),
    asPathPrefix: v.exactOptional(v.array(asNumber())),
    priority: v.exactOptional(integer(1, PRIORITY_MAX)),
    action: v.picklist(['Accept', 'Reject']),
    operations: v.exactOptional(v.array(operation)),
  });
}

interface Operation {
  readonly addCommunity?: object;
  readonly prependASPath?: { readonly prefix: readonly number[] };
  readonly setPriority?: object;
}

interface FilterRule {
  readonly cidr?: string;
  readonly matchOperator?: string;
  readonly prefixLength?: object;
  readonly communities?: { readonly values: readonly string[] };
  readonly action: string;
  readonly operations?: readonly Operation[];
}

function operationIssues({ action, operations }: FilterRule, path: string): Issue[] {
  if (operations === undefined) return [];
  const where = `${path}.operations`;
  const issues: Issue[] = [];
  if (action !== 'Accept') issues.push(ruleIssue(where, 'they need action Accept'));
  if (operations.length < 1 || operations.length > OPERATIONS_LIMIT) {
    issues.push(ruleIssue(where, `it has ${operations.length} entries: 1 to ${OPERATIONS_LIMIT} are right`));
  }
  for (const [index, { addCommunity, prependASPath, setPriority }] of operations.entries()) {
    const given = [addCommunity, prependASPath, setPriority].filter((one) => one !== undefined);
    if (given.length !== 1) {
      issues.push(ruleIssue(`${where}[${index}]`, 'give exactly one of addCommunity, prependASPath and setPriority'));
    }
    const count = prependASPath?.prefix.length ?? 1;
    if (count < 1 || count > PREPENDED_LIMIT) {
      const message = `it has ${count} entries: 1 to ${PREPENDED_LIMIT} are right`;
      issues.push(ruleIssue(`${where}[${index}].prependASPath.prefix`, message));
    }
  }
  return issues;
}

function ruleIssues(rule: FilterRule, path: string): Issue[] {
  const issues: Issue[] = [];
  if (rule.cidr !== undefined && rule.matchOperator === undefined) {
    issues.push(ruleIssue(`${path}.matchOperator`, 'it is missing: cidr needs it'));
  }
  if (rule.cidr === undefined && rule.matchOperator !== undefined) {
    issues.push(ruleIssue(`${path}.cidr`, 'it is missing: matchOperator needs it'));
  }
  if (rule.cidr === undefined && rule.prefixLength !== undefined) {
    issues.push(ruleIssue(`${path}.prefixLength`, 'it needs cidr'));
  }
  const communities = rule.communities?.values.length ?? 1;
  if (communities !== 1) {
    issues.push(ruleIssue(`${path}.communities.values`, `it has ${communities} entries: one is right`));
  }
  return [...issues, ...operationIssues(rule, path)];
}

export const bgpFilter = defineKind({
  kind: 'BGPFilter',
  plural: 'bgpfilters',
  namespaced: false,
  aliases: ['bgpf', 'bgpfs', 'bf', 'bfs'],
  spec: v.strictObject({
    exportV4: v.exactOptional(v.array(filterRule(4))),
    importV4: v.exactOptional(v.array(filterRule(4))),
    exportV6: v.exactOptional(v.array(filterRule(6))),
    importV6: v.exactOptional(v.array(filterRule(6))),
  }),
  crossFieldRules: ({ spec }) =>
    LISTS.flatMap((list) => (spec[list] ?? []).flatMap((rule, index) => ruleIssues(rule, `spec.${list}[${index}]`))),
  examples: {
    valid: {
      metadata: { name: 'no-lab' },
      spec: {
        exportV4: [{ cidr: '198.51.100.0/24', matchOperator: 'In', action: 'Reject' }],
        importV4: [{ peerType: 'eBGP', action: 'Accept', operations: [{ setPriority: { value: 512 } }] }],
      },
    },
    wrong: {
      metadata: { name: 'no-lab' },
      spec: { exportV4: [{ cidr: '198.51.100.0/24', action: 'Reject' }] },
      message: 'spec.exportV4[0].matchOperator: it is missing: cidr needs it',
    },
  },
});

export type BGPFilter = ResourceOf<typeof bgpFilter>;
