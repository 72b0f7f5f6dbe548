import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { prefixContains, tryParsePrefix } from '../../net/prefix.js';
import { cidr, integer } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { labelIssues } from '../label-rules.js';
import { explainBadLabelKey } from '../names.js';
import { stagedAction, stagedIssues } from './staged-network-policy.js';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Kubernetes' own label selector (apimachinery meta/v1 LabelSelector). */
const labelSelector = v.strictObject({
  matchLabels: v.exactOptional(v.record(v.string(), v.string())),
  matchExpressions: v.exactOptional(
    v.array(
      v.strictObject({
        key: v.string(),
        operator: v.picklist(OPERATORS),
        values: v.exactOptional(v.array(v.string())),
      }),
    ),
  ),
});

const peer = v.strictObject({
  podSelector: v.exactOptional(labelSelector),
  namespaceSelector: v.exactOptional(labelSelector),
  ipBlock: v.exactOptional(v.strictObject({ cidr: cidr(), except: v.exactOptional(v.array(cidr())) })),
});

const port = v.strictObject({
  protocol: v.exactOptional(v.picklist(['TCP', 'UDP', 'SCTP'])),
  port: v.exactOptional(v.union([v.number(), v.string()])),
  endPort: v.exactOptional(integer(1, 65535)),
});

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: (typeof OPERATORS)[number];
    readonly values?: readonly string[];
  }[];
}

interface Peer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Port {
  readonly port?: number | string;
  readonly endPort?: number;
}

function selectorIssues({ matchLabels = {}, matchExpressions = [] }: LabelSelector, path: string): Issue[] {
  const issues = labelIssues(`${path}.matchLabels`, matchLabels);
  for (const [index, { key, operator, values = [] }] of matchExpressions.entries()) {
    const where = `${path}.matchExpressions[${index}]`;
    const badKey = explainBadLabelKey(key);
    if (badKey !== undefined) issues.push(ruleIssue(`${where}.key`, badKey));
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (needsValues && values.length === 0)
      issues.push(ruleIssue(`${where}.values`, `operator ${operator} needs them`));
    if (!needsValues && values.length > 0) issues.push(ruleIssue(`${where}.values`, `operator ${operator} has none`));
  }
  return issues;
}

function blockIssues(block: NonNullable<Peer['ipBlock']>, path: string): Issue[] {
  const whole = tryParsePrefix(block.cidr);
  return (block.except ?? []).flatMap((text, index) => {
    const part = tryParsePrefix(text);
    const isWithin =
      whole !== undefined && part !== undefined && part.length > whole.length && prefixContains(whole, part);
    return isWithin ? [] : [ruleIssue(`${path}.except[${index}]`, `"${text}" is not a part of ${block.cidr}`)];
  });
}

function peerIssues({ podSelector, namespaceSelector, ipBlock }: Peer, path: string): Issue[] {
  const issues: Issue[] = [];
  if (podSelector !== undefined) issues.push(...selectorIssues(podSelector, `${path}.podSelector`));
  if (namespaceSelector !== undefined) issues.push(...selectorIssues(namespaceSelector, `${path}.namespaceSelector`));
  if (ipBlock === undefined) {
    const hasNone = podSelector === undefined && namespaceSelector === undefined;
    return hasNone ? [ruleIssue(path, 'give podSelector, namespaceSelector or ipBlock')] : issues;
  }
  if (podSelector !== undefined || namespaceSelector !== undefined) {
    issues.push(ruleIssue(`${path}.ipBlock`, 'it excludes podSelector and namespaceSelector'));
  }
  return [...issues, ...blockIssues(ipBlock, `${path}.ipBlock`)];
}

function portIssues({ port: given, endPort }: Port, path: string): Issue[] {
  const issues: Issue[] = [];
  if (typeof given === 'number' && (!Number.isInteger(given) || given < 1 || given > 65535)) {
    issues.push(ruleIssue(`${path}.port`, `${given} is not a port from 1 to 65535`));
  }
  if (typeof given === 'string' && !/^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(given)) {
    issues.push(ruleIssue(`${path}.port`, `"${given}" is not the name of a port`));
  }
  if (endPort === undefined) return issues;
  if (typeof given !== 'number') issues.push(ruleIssue(`${path}.endPort`, 'it needs a port by number'));
  else if (endPort < given) issues.push(ruleIssue(`${path}.endPort`, `${endPort} is less than port ${given}`));
  return issues;
}

interface Spec {
  readonly podSelector?: LabelSelector;
  readonly ingress?: readonly { readonly ports?: readonly Port[]; readonly from?: readonly Peer[] }[];
  readonly egress?: readonly { readonly ports?: readonly Port[]; readonly to?: readonly Peer[] }[];
  readonly policyTypes?: readonly string[];
}

function policyIssues({ podSelector = {}, ingress = [], egress = [], policyTypes = [] }: Spec): Issue[] {
  const rules = [
    ...ingress.map(({ ports, from }, index) => ({ ports, peers: from, path: `spec.ingress[${index}]`, side: 'from' })),
    ...egress.map(({ ports, to }, index) => ({ ports, peers: to, path: `spec.egress[${index}]`, side: 'to' })),
  ];
  const repeated = new Set(policyTypes).size !== policyTypes.length;
  return [
    ...selectorIssues(podSelector, 'spec.podSelector'),
    ...(repeated ? [ruleIssue('spec.policyTypes', 'one type stands there twice')] : []),
    ...rules.flatMap(({ ports = [], peers = [], path, side }) => [
      ...ports.flatMap((entry, index) => portIssues(entry, `${path}.ports[${index}]`)),
      ...peers.flatMap((entry, index) => peerIssues(entry, `${path}.${side}[${index}]`)),
    ]),
  ];
}

export const stagedKubernetesNetworkPolicy = defineKind({
  kind: 'StagedKubernetesNetworkPolicy',
  plural: 'stagedkubernetesnetworkpolicies',
  namespaced: true,
  aliases: ['sknp', 'sknps', 'skpol', 'skpols', 'stagedkubernetespolicy', 'stagedkubernetespolicies'],
  spec: v.strictObject({
    stagedAction: stagedAction(),
    podSelector: v.exactOptional(labelSelector),
    ingress: v.exactOptional(
      v.array(v.strictObject({ ports: v.exactOptional(v.array(port)), from: v.exactOptional(v.array(peer)) })),
    ),
    egress: v.exactOptional(
      v.array(v.strictObject({ ports: v.exactOptional(v.array(port)), to: v.exactOptional(v.array(peer)) })),
    ),
    policyTypes: v.exactOptional(v.array(v.picklist(['Ingress', 'Egress']))),
  }),
  crossFieldRules: ({ spec }) => {
    const { podSelector, ...rest } = spec;
    // An empty selector is how Kubernetes writes "every pod"; beside Delete it says nothing.
    const saysNothing = podSelector === undefined || Object.keys(podSelector).length === 0;
    return [...stagedIssues(saysNothing ? rest : spec), ...policyIssues(spec)];
  },
  // Kubernetes' own rule: ingress always, egress when there are rules for it.
  writeDefaults: (spec) =>
    spec.stagedAction === 'Delete'
      ? spec
      : {
          ...spec,
          stagedAction: spec.stagedAction ?? 'Set',
          policyTypes: spec.policyTypes ?? ((spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']),
        },
  examples: {
    valid: {
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [
          {
            ports: [{ protocol: 'TCP', port: 443 }],
            from: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } }],
          },
        ],
      },
    },
    wrong: {
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        podSelector: {},
        ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['198.51.100.0/25'] } }] }],
      },
      message: 'spec.ingress[0].from[0].ipBlock.except[0]: "198.51.100.0/25" is not a part of 192.0.2.0/24',
    },
  },
});

export type StagedKubernetesNetworkPolicy = ResourceOf<typeof stagedKubernetesNetworkPolicy>;
