import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { cidrOrAddress } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type Metadata, type ResourceOf } from '../meta.js';

export const networkSetSpec = v.strictObject({ nets: v.exactOptional(v.array(cidrOrAddress())) });

/** The label that policy itself gives to sets of a namespace. */
const NAMESPACE_LABEL = 'projectcalico.org/namespace';

export function networkSetIssues({ metadata }: { readonly metadata: Metadata }): Issue[] {
  return metadata.labels?.[NAMESPACE_LABEL] === undefined
    ? []
    : [ruleIssue(`metadata.labels["${NAMESPACE_LABEL}"]`, 'this label is given by the system')];
}

export const networkSet = defineKind({
  kind: 'NetworkSet',
  plural: 'networksets',
  namespaced: true,
  aliases: ['netset', 'netsets'],
  spec: networkSetSpec,
  crossFieldRules: networkSetIssues,
  examples: {
    valid: { metadata: { name: 'partners', namespace: 'shop' }, spec: { nets: ['198.51.100.0/24', '192.0.2.7'] } },
    wrong: {
      metadata: { name: 'partners', namespace: 'shop' },
      spec: { nets: ['198.51.100.0/240'] },
      message: 'spec.nets[0]: "198.51.100.0/240" is neither a CIDR nor an IP address: the prefix is at most 32',
    },
  },
});

export type NetworkSet = ResourceOf<typeof networkSet>;
