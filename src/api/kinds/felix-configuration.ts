import * as v from 'valibot';
import { specOf } from '../felix-parameter-forms.js';
import { type FelixParameter, felixParameters } from '../felix-parameters.js';
import { type UnusedFelixParameter, unusedFelixParameters } from '../felix-unused-parameters.js';
import { selector } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type Resource } from '../meta.js';

function fieldSchemas(): Record<string, v.GenericSchema> {
  const all: Readonly<Record<string, FelixParameter | UnusedFelixParameter>> = {
    ...felixParameters,
    ...unusedFelixParameters,
  };
  const fields = Object.entries(all).filter(([, { isLocal }]) => isLocal !== true);
  return { nodeSelector: selector(), ...Object.fromEntries(fields.map(([name, { form }]) => [name, form.field])) };
}

export const felixConfiguration = defineKind({
  kind: 'FelixConfiguration',
  plural: 'felixconfigurations',
  namespaced: false,
  aliases: ['felixconfig', 'felixconfigs'],
  spec: specOf(fieldSchemas()),
  // One wrong field must not hide the others from the agent: it judges each, see `felix-sources.ts`.
  storedSpec: v.looseObject({}),
  crossFieldRules({ metadata: { name }, spec }) {
    const isSpecial = name === 'default' || name.startsWith('node.');
    return [
      ...(isSpecial && 'nodeSelector' in spec
        ? [ruleIssue('spec.nodeSelector', `"${name}" needs none: its name says whom it is for`)]
        : []),
      ...('routeTableRange' in spec && 'routeTableRanges' in spec
        ? [ruleIssue('spec.routeTableRange', 'it excludes routeTableRanges: give one of the two')]
        : []),
    ];
  },
  // What today's agents must read unless somebody decided otherwise.
  writeDefaults: (spec) => ({
    floatingIPs: 'Disabled',
    bpfConnectTimeLoadBalancing: 'TCP',
    bpfHostNetworkedNATWithoutCTLB: 'Enabled',
    ...spec,
  }),
  examples: {
    valid: { metadata: { name: 'default' }, spec: { logSeverityScreen: 'Info', reportingInterval: '0s' } },
    wrong: {
      metadata: { name: 'default' },
      spec: { logSeverityScren: 'Info' },
      message:
        'spec.logSeverityScren: field in document is not recognized or is in the wrong location: logSeverityScren',
    },
  },
});

/** Its fields are read through `resolveFelixParameters()`, which knows their types. */
export type FelixConfiguration = Resource<'FelixConfiguration', { readonly [field: string]: unknown }>;
