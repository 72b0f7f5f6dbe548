import type { NodeStatus } from './protocol.js';

/** Of a node where all is well and which has no peer. */
export const HEALTHY_NODE: NodeStatus = {
  node: 'calico-01',
  version: 'v0.1.0',
  pid: 77,
  isContainer: false,
  startedAt: '2026-01-01T00:00:00Z',
  datastore: { description: 'etcd at http://192.0.2.10:2379', isSingleHost: false, status: 'in-sync' },
  felix: { isRunning: true, revision: '41', isProgrammed: true },
  bgp: { backend: 'bird', isRunning: true, hasIpv4: true, hasIpv6: false, peers: [] },
  conditions: [],
  features: [],
};
