/** Every kind this version knows, the internal kinds of IPAM included. */
export type Kind =
  | 'IPPool'
  | 'Node'
  | 'WorkloadEndpoint'
  | 'Profile'
  | 'NetworkPolicy'
  | 'GlobalNetworkPolicy'
  | 'NetworkSet'
  | 'GlobalNetworkSet'
  | 'Tier'
  | 'BGPConfiguration'
  | 'BGPPeer'
  | 'FelixConfiguration'
  | 'ClusterInformation'
  | 'IPAMBlock'
  | 'IPAMHandle'
  | 'BlockAffinity'
  | 'IPAMConfiguration';

/** The value stored under each kind. */
export type ResourceByKind = Record<Kind, { readonly spec: unknown }>;
