import { describeKey } from '../api/keys.js';
import type { Rule } from '../api/rule.js';
import type { PublicKind, PublicResourceByKind } from '../api/registry.js';

/** What is stored for other tools or later versions: nothing here acts on it, and whoever writes it must not think that something does. */
const KEPT_ONLY: Partial<Record<PublicKind, string>> = {
  HostEndpoint: 'the host it describes is not filtered',
  StagedNetworkPolicy: 'it has no preview',
  StagedGlobalNetworkPolicy: 'it has no preview',
  StagedKubernetesNetworkPolicy: 'it has no preview',
  BGPFilter: 'a BGPPeer that names it gets no session',
  CalicoNodeStatus: 'no node reports to it; ask "calicoctl node status" on the host',
  KubeControllersConfiguration: 'there are no controllers yet',
};

type Ruled = PublicResourceByKind['NetworkPolicy' | 'GlobalNetworkPolicy' | 'Profile'];

function hasRules(resource: PublicResourceByKind[PublicKind]): resource is Ruled {
  return ['NetworkPolicy', 'GlobalNetworkPolicy', 'Profile'].includes(resource.kind);
}

/** What of a rule the agent cannot enforce: it then lets nothing through. */
function unsupportedIn({ http, source, destination }: Rule): string | undefined {
  if (http !== undefined) return 'HTTP requests';
  return source?.services === undefined && destination?.services === undefined ? undefined : 'services';
}

function ruleNotices(name: string, spec: Ruled['spec']): readonly string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    (spec[direction] ?? []).flatMap((rule, index) => {
      const what = unsupportedIn(rule);
      if (what === undefined) return [];
      const path = `spec.${direction}[${index}]`;
      const consequence =
        rule.action === 'Allow' || rule.action === 'Log' ? 'the rule matches nothing' : 'the rule denies everything';
      return [`${name}: ${path} matches by ${what}, which no host can do yet: ${consequence}`];
    }),
  );
}

/** What to tell whoever wrote the resource: that it, or a part of it, has no effect in this version. Mostly nothing. */
export function effectNotices(resource: PublicResourceByKind[PublicKind]): readonly string[] {
  const { kind, metadata } = resource;
  const name = describeKey({ kind, ...metadata });
  const consequence = KEPT_ONLY[kind];
  if (consequence !== undefined) return [`${name} is stored, and nothing acts on it yet: ${consequence}`];
  if (hasRules(resource)) return ruleNotices(name, resource.spec);
  if (resource.kind !== 'IPPool') return [];
  const { ipipMode = 'Never', vxlanMode = 'Never' } = resource.spec;
  const [field, mode] = ipipMode === 'Never' ? ['vxlanMode', vxlanMode] : ['ipipMode', ipipMode];
  if (mode === 'Never') return [];
  return [
    `${name}: ${field} ${mode} is stored, and no tunnel is made yet: hosts must reach its blocks in one routed network`,
  ];
}
