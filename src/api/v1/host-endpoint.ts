import * as v from 'valibot';
import { address, integer } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineV1Kind } from './kind.js';
import { convertName, convertNodeName, convertProfileName } from './names.js';
import { given, protocolOfV1 } from './rules.js';
import { convertLabels } from './selectors.js';

/** Ports with a name, of both kinds of endpoint. */
export const portsOfV1 = () =>
  v.exactOptional(v.array(v.strictObject({ name: v.string(), protocol: protocolOfV1(), port: integer(1, 65535) })));

export const labelsOfV1 = () => v.exactOptional(v.record(v.string(), v.string()));

export const hostEndpointOfV1 = defineV1Kind({
  kind: 'hostEndpoint',
  becomes: 'HostEndpoint',
  metadata: v.strictObject({ name: v.string(), node: v.string(), labels: labelsOfV1() }),
  spec: v.strictObject({
    interfaceName: v.exactOptional(v.string()),
    expectedIPs: v.exactOptional(v.array(address())),
    profiles: v.exactOptional(v.array(v.string())),
    ports: portsOfV1(),
  }),
  convert({ metadata: { name, node, labels }, spec }) {
    const host = convertNodeName(node);
    if (host === '') return { refusals: [ruleIssue('metadata.node', `"${node}" is not the name of a node`)] };
    return {
      metadata: {
        name: convertName(`${host}.${name}`),
        ...(labels === undefined ? {} : { labels: convertLabels(labels) }),
      },
      spec: given({ ...spec, node: host, profiles: spec.profiles?.map(convertProfileName) }),
    };
  },
});
