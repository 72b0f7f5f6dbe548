import type { ResourceByKind } from '../api/registry.js';
import { withWriteDefaults } from '../api/validate.js';
import type { ResourceKey } from './datastore.js';

/** Resources for tests of stores, as they are stored. */

export function poolKey(name: string): ResourceKey<'IPPool'> {
  return { kind: 'IPPool', name };
}

export function pool(name: string, cidr = '192.168.0.0/16'): ResourceByKind['IPPool'] {
  return withWriteDefaults({ apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec: { cidr } });
}

export function setKey(namespace: string, name: string): ResourceKey<'NetworkSet'> {
  return { kind: 'NetworkSet', namespace, name };
}

export function set(namespace: string, name: string): ResourceByKind['NetworkSet'] {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkSet',
    metadata: { name, namespace },
    spec: { nets: ['192.0.2.0/24'] },
  };
}

export function globalSet(name: string): ResourceByKind['GlobalNetworkSet'] {
  return { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkSet', metadata: { name }, spec: { nets: [] } };
}
