import { ifFound } from '../base/errors.js';
import type { Datastore, ResourceKey } from '../datastore/datastore.js';
import type { Ipam } from '../ipam/ipam.js';

/** Handles under which a node holds the addresses of its tunnels. */
const TUNNEL_HANDLES = [
  'ipip-tunnel-addr-',
  'vxlan-tunnel-addr-',
  'vxlan-v6-tunnel-addr-',
  'wireguard-tunnel-addr-',
  'wireguard-v6-tunnel-addr-',
];

/**
 * Removes what belongs to a node: its endpoints and their addresses, its tunnels' addresses, its blocks, its host endpoints, its peers, its
 * configurations.
 * The node itself goes last, elsewhere: whoever is stopped half-way can do it again.
 */
export async function deleteNodeBelongings(datastore: Datastore, ipam: Ipam, node: string): Promise<void> {
  const endpoints = (await datastore.list('WorkloadEndpoint')).items.filter(({ value }) => value.spec.node === node);
  const addresses = endpoints.flatMap(({ value }) => value.spec.ipNetworks ?? []);
  await ipam.releaseOfHost(
    addresses.map((network) => network.replace(/\/\d+$/, '')),
    node,
  );
  for (const handle of TUNNEL_HANDLES) await ifFound(ipam.releaseByHandle(`${handle}${node}`));
  await ipam.releaseHostAffinities(node);
  const peers = (await datastore.list('BGPPeer')).items.filter(({ value }) => value.spec.node === node);
  const hosts = (await datastore.list('HostEndpoint')).items.filter(({ value }) => value.spec.node === node);
  const keys: readonly ResourceKey[] = [
    ...endpoints.map(({ key }) => key),
    ...hosts.map(({ key }) => key),
    ...peers.map(({ key }) => key),
    { kind: 'FelixConfiguration', name: `node.${node}` },
    { kind: 'BGPConfiguration', name: `node.${node}` },
  ];
  for (const key of keys) await ifFound(datastore.delete(key));
}
