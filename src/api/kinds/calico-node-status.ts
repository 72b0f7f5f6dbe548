import * as v from 'valibot';
import { integer } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';

/** Asks the agent of one node to report here what it sees; `status` is its answer. */
export const calicoNodeStatus = defineKind({
  kind: 'CalicoNodeStatus',
  plural: 'caliconodestatuses',
  namespaced: false,
  aliases: ['nodestatus', 'nodestatuses'],
  spec: v.strictObject({
    node: v.string(),
    classes: v.array(v.picklist(['Agent', 'BGP', 'Routes'])),
    updatePeriodSeconds: integer(0, 86400),
  }),
  crossFieldRules: ({ spec: { classes } }) =>
    new Set(classes).size === classes.length ? [] : [ruleIssue('spec.classes', 'one class stands there twice')],
  examples: {
    valid: {
      metadata: { name: 'calico-01' },
      spec: { node: 'calico-01', classes: ['Agent', 'BGP', 'Routes'], updatePeriodSeconds: 10 },
    },
    wrong: {
      metadata: { name: 'calico-01' },
      spec: { node: 'calico-01', classes: ['BGP'] },
      message: 'spec.updatePeriodSeconds: it is missing',
    },
  },
});

export type CalicoNodeStatus = ResourceOf<typeof calicoNodeStatus>;
