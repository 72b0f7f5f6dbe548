import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { cidr, duration, integer, pattern, selector, wordOf } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { labelIssues } from '../label-rules.js';
import { explainNotDefault } from '../names.js';

const switching = () => v.exactOptional(v.picklist(['Enabled', 'Disabled']));
const period = () => v.exactOptional(duration());
const textMap = () => v.exactOptional(v.record(v.string(), v.string()));
const controller = () => v.exactOptional(v.strictObject({ reconcilerPeriod: period() }));

const template = v.strictObject({
  generateName: v.string(),
  interfaceCIDRs: v.exactOptional(v.array(cidr())),
  interfacePattern: v.exactOptional(pattern()),
  labels: textMap(),
  annotations: textMap(),
  nodeSelector: v.exactOptional(selector()),
});

interface Template {
  readonly generateName: string;
  readonly interfaceCIDRs?: readonly string[];
  readonly interfacePattern?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

function templateIssues(templates: readonly Template[]): Issue[] {
  const names = new Set<string>();
  return templates.flatMap(({ generateName, interfaceCIDRs = [], interfacePattern = '', labels = {} }, index) => {
    const where = `spec.controllers.node.hostEndpoint.templates[${index}]`;
    const issues: Issue[] = [];
    if (names.has(generateName))
      issues.push(ruleIssue(`${where}.generateName`, `"${generateName}" stands there twice`));
    names.add(generateName);
    if (interfaceCIDRs.length > 0 === (interfacePattern !== '')) {
      issues.push(ruleIssue(where, 'give exactly one of interfaceCIDRs and interfacePattern'));
    }
    return [...issues, ...labelIssues(`${where}.labels`, labels)];
  });
}

export const kubeControllersConfiguration = defineKind({
  kind: 'KubeControllersConfiguration',
  plural: 'kubecontrollersconfigurations',
  namespaced: false,
  aliases: ['kubecontrollersconfig', 'kubecontrollersconfigs'],
  spec: v.strictObject({
    logSeverityScreen: v.exactOptional(wordOf(['None', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'Panic'])),
    healthChecks: switching(),
    etcdV3CompactionPeriod: period(),
    prometheusMetricsPort: v.exactOptional(integer(0, 65535)),
    debugProfilePort: v.exactOptional(integer(0, 65535)),
    controllers: v.exactOptional(
      v.strictObject({
        node: v.exactOptional(
          v.strictObject({
            reconcilerPeriod: period(),
            syncLabels: switching(),
            leakGracePeriod: period(),
            hostEndpoint: v.exactOptional(
              v.strictObject({
                autoCreate: switching(),
                createDefaultHostEndpoint: switching(),
                templates: v.exactOptional(v.array(template)),
              }),
            ),
          }),
        ),
        policy: controller(),
        workloadEndpoint: controller(),
        serviceAccount: controller(),
        namespace: controller(),
        loadBalancer: v.exactOptional(
          v.strictObject({ assignIPs: v.exactOptional(v.picklist(['AllServices', 'RequestedServicesOnly'])) }),
        ),
        migration: v.exactOptional(v.strictObject({ policyNameMigrator: switching() })),
      }),
    ),
  }),
  explainBadName: explainNotDefault,
  crossFieldRules: ({ spec }) => templateIssues(spec.controllers?.node?.hostEndpoint?.templates ?? []),
  examples: {
    valid: {
      metadata: { name: 'default' },
      spec: {
        healthChecks: 'Enabled',
        controllers: { node: { reconcilerPeriod: '5m', hostEndpoint: { autoCreate: 'Enabled' } } },
      },
    },
    wrong: {
      metadata: { name: 'default' },
      spec: { controllers: { node: { hostEndpoint: { templates: [{ generateName: 'edge' }] } } } },
      message:
        'spec.controllers.node.hostEndpoint.templates[0]: give exactly one of interfaceCIDRs and interfacePattern',
    },
  },
});

export type KubeControllersConfiguration = ResourceOf<typeof kubeControllersConfiguration>;
