import { type BGPConfiguration, bgpConfiguration } from './kinds/bgp-configuration.js';
import { type BGPPeer, bgpPeer } from './kinds/bgp-peer.js';
import { type BlockAffinity, blockAffinity } from './kinds/block-affinity.js';
import { type ClusterInformation, clusterInformation } from './kinds/cluster-information.js';
import { type FelixConfiguration, felixConfiguration } from './kinds/felix-configuration.js';
import { type FelixStatus, felixStatus } from './kinds/felix-status.js';
import { type GlobalNetworkPolicy, globalNetworkPolicy } from './kinds/global-network-policy.js';
import { type GlobalNetworkSet, globalNetworkSet } from './kinds/global-network-set.js';
import { type IPAMBlock, ipamBlock } from './kinds/ipam-block.js';
import { type IPAMConfiguration, ipamConfiguration } from './kinds/ipam-configuration.js';
import { type IPAMHandle, ipamHandle } from './kinds/ipam-handle.js';
import { type IPPool, ipPool } from './kinds/ip-pool.js';
import { type NetworkPolicy, networkPolicy } from './kinds/network-policy.js';
import { type NetworkSet, networkSet } from './kinds/network-set.js';
import { type Node, node } from './kinds/node.js';
import { type Profile, profile } from './kinds/profile.js';
import { type Tier, tier } from './kinds/tier.js';
import { type WorkloadEndpoint, workloadEndpoint } from './kinds/workload-endpoint.js';
import { type BGPFilter, bgpFilter } from './kinds/bgp-filter.js';
import { type CalicoNodeStatus, calicoNodeStatus } from './kinds/calico-node-status.js';
import { type HostEndpoint, hostEndpoint } from './kinds/host-endpoint.js';
import { type IPReservation, ipReservation } from './kinds/ip-reservation.js';
import {
  type KubeControllersConfiguration,
  kubeControllersConfiguration,
} from './kinds/kube-controllers-configuration.js';
import { type StagedNetworkPolicy, stagedNetworkPolicy } from './kinds/staged-network-policy.js';
import { type StagedGlobalNetworkPolicy, stagedGlobalNetworkPolicy } from './kinds/staged-global-network-policy.js';
import {
  type StagedKubernetesNetworkPolicy,
  stagedKubernetesNetworkPolicy,
} from './kinds/staged-kubernetes-network-policy.js';
import type { InternalKindDefinition, KindDefinition } from './meta.js';

/** The value stored under each kind people write. */
export interface PublicResourceByKind {
  readonly IPPool: IPPool;
  readonly Node: Node;
  readonly WorkloadEndpoint: WorkloadEndpoint;
  readonly Profile: Profile;
  readonly NetworkPolicy: NetworkPolicy;
  readonly GlobalNetworkPolicy: GlobalNetworkPolicy;
  readonly NetworkSet: NetworkSet;
  readonly GlobalNetworkSet: GlobalNetworkSet;
  readonly Tier: Tier;
  readonly BGPConfiguration: BGPConfiguration;
  readonly BGPPeer: BGPPeer;
  readonly FelixConfiguration: FelixConfiguration;
  readonly ClusterInformation: ClusterInformation;
  readonly HostEndpoint: HostEndpoint;
  readonly StagedNetworkPolicy: StagedNetworkPolicy;
  readonly StagedGlobalNetworkPolicy: StagedGlobalNetworkPolicy;
  readonly StagedKubernetesNetworkPolicy: StagedKubernetesNetworkPolicy;
  readonly IPReservation: IPReservation;
  readonly BGPFilter: BGPFilter;
  readonly CalicoNodeStatus: CalicoNodeStatus;
  readonly KubeControllersConfiguration: KubeControllersConfiguration;
  readonly IPAMConfiguration: IPAMConfiguration;
}

/** The value stored under each kind that IPAM and the agents keep for themselves. */
export interface InternalValueByKind {
  readonly IPAMBlock: IPAMBlock;
  readonly IPAMHandle: IPAMHandle;
  readonly BlockAffinity: BlockAffinity;
  readonly FelixStatus: FelixStatus;
}

/** The value stored under each kind. */
export interface ResourceByKind extends PublicResourceByKind, InternalValueByKind {}

/** Every kind this version knows, the internal kinds of IPAM and agents included. */
export type Kind = keyof ResourceByKind;
/** Kinds that people write: they have metadata and a spec. */
export type PublicKind = keyof PublicResourceByKind;
export type InternalKind = keyof InternalValueByKind;
export type NamespacedKind =
  | 'WorkloadEndpoint'
  | 'NetworkPolicy'
  | 'NetworkSet'
  | 'StagedNetworkPolicy'
  | 'StagedKubernetesNetworkPolicy';

/** What is known of each kind people write. */
export const publicKinds: Readonly<Record<PublicKind, KindDefinition>> = {
  IPPool: ipPool,
  Node: node,
  WorkloadEndpoint: workloadEndpoint,
  Profile: profile,
  NetworkPolicy: networkPolicy,
  GlobalNetworkPolicy: globalNetworkPolicy,
  NetworkSet: networkSet,
  GlobalNetworkSet: globalNetworkSet,
  Tier: tier,
  BGPConfiguration: bgpConfiguration,
  BGPPeer: bgpPeer,
  FelixConfiguration: felixConfiguration,
  ClusterInformation: clusterInformation,
  HostEndpoint: hostEndpoint,
  StagedNetworkPolicy: stagedNetworkPolicy,
  StagedGlobalNetworkPolicy: stagedGlobalNetworkPolicy,
  StagedKubernetesNetworkPolicy: stagedKubernetesNetworkPolicy,
  IPReservation: ipReservation,
  BGPFilter: bgpFilter,
  CalicoNodeStatus: calicoNodeStatus,
  KubeControllersConfiguration: kubeControllersConfiguration,
  IPAMConfiguration: ipamConfiguration,
};

export const internalKinds: Readonly<Record<InternalKind, InternalKindDefinition>> = {
  IPAMBlock: ipamBlock,
  IPAMHandle: ipamHandle,
  BlockAffinity: blockAffinity,
  FelixStatus: felixStatus,
};

export function isPublicKind(kind: string): kind is PublicKind {
  return Object.hasOwn(publicKinds, kind);
}

export function isInternalKind(kind: string): kind is InternalKind {
  return Object.hasOwn(internalKinds, kind);
}

export function isNamespaced(kind: Kind): kind is NamespacedKind {
  return isPublicKind(kind) && publicKinds[kind].namespaced;
}

/** Kinds that stand in a tier. Their names are kept apart from their keys, see `stored-form.ts`. */
export const TIERED_KINDS = [
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
] as const;

export type TieredKind = (typeof TIERED_KINDS)[number];

export function isTieredKind(kind: Kind): kind is TieredKind {
  return TIERED_KINDS.some((tiered) => tiered === kind);
}
