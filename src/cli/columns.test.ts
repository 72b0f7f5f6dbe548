import { describe, expect, test } from 'vitest';
import { isPublicKind, type PublicKind, publicKinds, type PublicResourceByKind } from '../api/registry.js';
import { columnsOf } from './columns.js';
import { resolveKind } from './kind-names.js';

const facts = { globalAsNumber: 64512 };

function row(kind: PublicKind, isWide: boolean): readonly string[] {
  const { metadata, spec } = publicKinds[kind].examples.valid;
  const resource = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return columnsOf(kind, isWide).map(
    ({ heading, cell }) => `${heading}=${cell(resource as unknown as PublicResourceByKind[typeof kind], facts)}`,
  );
}

describe('columnsOf()', () => {
  test.each<readonly [PublicKind, string, string]>([
    ['BGPFilter', 'NAME=no-lab NUMEXPORTV4=1 NUMIMPORTV4=1 NUMEXPORTV6=0 NUMIMPORTV6=0', ''],
    ['HostEndpoint', 'NAME=calico-01-eth0 NODE=calico-01', ' INTERFACE=eth0 IPS=192.0.2.10 PROFILES='],
    ['IPAMConfiguration', 'NAME=default STRICTAFFINITY=true AUTOALLOCATEBLOCKS=true', ' MAXBLOCKSPERHOST=4'],
    ['IPReservation', 'NAME=printers', ' CIDRS=192.168.0.0/29,192.168.1.7'],
    ['KubeControllersConfiguration', 'NAME=default', ''],
    ['CalicoNodeStatus', 'NAME=calico-01 NODE=calico-01', ' CLASSES=Agent,BGP,Routes'],
    ['StagedNetworkPolicy', 'NAME=web TIER=default', " ORDER=<nil> SELECTOR=app == 'web'"],
    ['StagedGlobalNetworkPolicy', 'NAME=deny-telnet TIER=default', ' ORDER=10 SELECTOR='],
    ['StagedKubernetesNetworkPolicy', 'NAME=web', " PODSELECTOR=app == 'web'"],
  ])('of %s', (kind, narrow, more) => {
    expect(row(kind, false).join(' ')).toBe(narrow);
    expect(row(kind, true).join(' ')).toBe(`${narrow}${more}`);
  });
});

describe('resolveKind()', () => {
  test('knows every kind by each of its words, and no word means two', () => {
    const words = Object.values(publicKinds).flatMap(({ kind, plural, aliases }) =>
      [kind, plural, ...aliases].map((word) => ({ kind, word })),
    );
    expect(words.filter(({ kind, word }) => !isPublicKind(kind) || resolveKind(word) !== kind)).toEqual([]);
    expect(resolveKind('skpols')).toBe('StagedKubernetesNetworkPolicy');
    expect(resolveKind('nodestatuses')).toBe('CalicoNodeStatus');
  });
});
