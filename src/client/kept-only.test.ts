import { describe, expect, test } from 'vitest';
import { kindMeanings } from '../api/meanings.js';
import { publicKinds } from '../api/registry.js';
import { parseResource } from '../api/validate.js';
import { effectNotices } from './kept-only.js';

const API = 'projectcalico.org/v3';

describe('effectNotices()', () => {
  test.each(Object.values(publicKinds))(
    '$kind: says that nothing acts on it where its reference says so',
    (definition) => {
      const { kind, examples } = definition;
      const example = parseResource({ apiVersion: API, kind, ...examples.valid });
      const saysSo = effectNotices(example).some((notice) => notice.includes('is stored, and nothing acts on it yet'));
      expect(saysSo).toBe(kindMeanings[example.kind].isKeptOnly === true);
    },
  );

  test('says of a host endpoint that nothing is filtered', () => {
    const spec = { node: 'calico-01', interfaceName: 'eth0' };
    expect(effectNotices({ apiVersion: API, kind: 'HostEndpoint', metadata: { name: 'uplink' }, spec })).toEqual([
      'HostEndpoint "uplink" is stored, and nothing acts on it yet: the host it describes is not filtered',
    ]);
  });

  test('says of a pool with a tunnel that there is none, and nothing of one without', () => {
    const pool = (spec: object) =>
      effectNotices({
        apiVersion: API,
        kind: 'IPPool',
        metadata: { name: 'office' },
        spec: { cidr: '192.168.0.0/16', ...spec },
      });
    expect(pool({ ipipMode: 'Always' })).toEqual([
      'IPPool "office": ipipMode Always is stored, and no tunnel is made yet: hosts must reach its blocks in one routed network',
    ]);
    expect(pool({ vxlanMode: 'CrossSubnet' })[0]).toContain('vxlanMode CrossSubnet is stored');
    expect(pool({ ipipMode: 'Never' })).toEqual([]);
  });

  test('says of rules that no host can enforce what they do instead', () => {
    const policy = (spec: object) =>
      effectNotices({ apiVersion: API, kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'shop' }, spec });
    const http = { methods: ['GET'] };
    const destination = { services: { name: 'db' } };
    expect(policy({ ingress: [{ action: 'Deny' }, { action: 'Allow', protocol: 'TCP', http }] })).toEqual([
      'NetworkPolicy "shop/web": spec.ingress[1] matches by HTTP requests, which no host can do yet: the rule matches nothing',
    ]);
    expect(policy({ egress: [{ action: 'Deny', destination }] })).toEqual([
      'NetworkPolicy "shop/web": spec.egress[0] matches by services, which no host can do yet: the rule denies everything',
    ]);
    expect(policy({ ingress: [{ action: 'Allow' }] })).toEqual([]);
  });
});
