import * as v from 'valibot';
import { address, explained, integer, textField } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { protocol } from '../rule.js';

/** One interface of the host, or `*` for all of them. */
function hostInterface() {
  const words = '* or the name of a network interface';
  return textField({ words, pattern: '^(\\*|[a-zA-Z0-9_.-]{1,15})$' }, (text) =>
    text === '*' || /^[a-zA-Z0-9_.-]{1,15}$/.test(text)
      ? undefined
      : `"${text}" is neither "*" nor the name of a network interface`,
  );
}

const PORT_PROTOCOLS: readonly (number | string)[] = ['TCP', 'UDP', 'SCTP', 6, 17, 132];

export const hostEndpoint = defineKind({
  kind: 'HostEndpoint',
  plural: 'hostendpoints',
  namespaced: false,
  aliases: ['hep', 'heps'],
  spec: v.strictObject({
    node: v.pipe(
      v.string(),
      explained((text: string) => (text === '' ? 'it is empty' : undefined)),
    ),
    interfaceName: v.exactOptional(hostInterface()),
    expectedIPs: v.exactOptional(v.array(address())),
    profiles: v.exactOptional(v.array(v.string())),
    ports: v.exactOptional(
      v.array(v.strictObject({ name: v.string(), protocol: protocol(), port: integer(1, 65535) })),
    ),
  }),
  crossFieldRules({ spec: { interfaceName, expectedIPs = [], ports = [] } }) {
    const isNowhere = interfaceName === undefined && expectedIPs.length === 0;
    return [
      ...(isNowhere ? [ruleIssue('spec.interfaceName', 'it is missing: give it or expectedIPs')] : []),
      ...ports.flatMap(({ protocol: given }, index) =>
        PORT_PROTOCOLS.includes(given)
          ? []
          : [ruleIssue(`spec.ports[${index}].protocol`, `protocol ${given} has no ports: only TCP, UDP and SCTP have`)],
      ),
    ];
  },
  examples: {
    valid: {
      metadata: { name: 'calico-01-eth0', labels: { role: 'edge' } },
      spec: { node: 'calico-01', interfaceName: 'eth0', expectedIPs: ['192.0.2.10'] },
    },
    wrong: {
      metadata: { name: 'calico-01-eth0' },
      spec: { node: 'calico-01' },
      message: 'spec.interfaceName: it is missing: give it or expectedIPs',
    },
  },
});

export type HostEndpoint = ResourceOf<typeof hostEndpoint>;
