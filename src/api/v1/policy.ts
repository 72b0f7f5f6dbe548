import * as v from 'valibot';
import { textField } from '../fields.js';
import { defineV1Kind } from './kind.js';
import { convertPolicyName } from './names.js';
import { convertRules, given, rulesOfV1 } from './rules.js';
import { convertSelector } from './selectors.js';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['ingress', 'Ingress'],
  ['egress', 'Egress'],
]);

function policyType() {
  return textField('ingress or egress, in any case', (text) =>
    TYPES.has(text.toLowerCase()) ? undefined : `"${text}" is not one of ingress, egress`,
  );
}

export const policyOfV1 = defineV1Kind({
  kind: 'policy',
  becomes: 'GlobalNetworkPolicy',
  metadata: v.strictObject({ name: v.string(), annotations: v.exactOptional(v.record(v.string(), v.string())) }),
  spec: v.strictObject({
    order: v.exactOptional(v.number()),
    selector: v.exactOptional(v.string()),
    types: v.exactOptional(v.array(policyType())),
    ingress: rulesOfV1(),
    egress: rulesOfV1(),
    doNotTrack: v.exactOptional(v.boolean()),
    preDNAT: v.exactOptional(v.boolean()),
  }),
  convert({ metadata: { name, annotations }, spec }) {
    const { order, selector, types = [], doNotTrack = false, preDNAT = false } = spec;
    return {
      metadata: { name: convertPolicyName(name), ...(annotations === undefined ? {} : { annotations }) },
      spec: given({
        order,
        selector: selector === undefined || selector === '' ? undefined : convertSelector(selector),
        // None are none given: what they are follows from the rules.
        types: types.length === 0 ? undefined : types.map((type) => TYPES.get(type.toLowerCase())),
        ingress: convertRules(spec.ingress),
        egress: convertRules(spec.egress),
        doNotTrack: doNotTrack ? true : undefined,
        preDNAT: preDNAT ? true : undefined,
        // Untracked and pre-DNAT policies always held for forwarded traffic too.
        applyOnForward: doNotTrack || preDNAT ? true : undefined,
      }),
    };
  },
});
