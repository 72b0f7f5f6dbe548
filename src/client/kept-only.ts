import { describeKey } from '../api/keys.js';
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

/** What to tell whoever wrote the resource: that it, or a part of it, has no effect in this version. Mostly nothing. */
export function effectNotices(resource: PublicResourceByKind[PublicKind]): readonly string[] {
  const { kind, metadata } = resource;
  const name = describeKey({ kind, ...metadata });
  const consequence = KEPT_ONLY[kind];
  if (consequence !== undefined) return [`${name} is stored, and nothing acts on it yet: ${consequence}`];
  if (resource.kind !== 'IPPool') return [];
  const { ipipMode = 'Never', vxlanMode = 'Never' } = resource.spec;
  const [field, mode] = ipipMode === 'Never' ? ['vxlanMode', vxlanMode] : ['ipipMode', ipipMode];
  if (mode === 'Never') return [];
  return [
    `${name}: ${field} ${mode} is stored, and no tunnel is made yet: hosts must reach its blocks in one routed network`,
  ];
}
