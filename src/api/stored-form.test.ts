import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ValidationError } from '../base/errors.js';
import { ALL_KINDS, formatKeyPath, keyPrefixes, parseKeyPath } from './keys.js';
import { isPublicKind, publicKinds, type ResourceByKind } from './registry.js';
import type { ResourceKey } from './resource-update.js';
import { decodeStored, encodeStored } from './stored-form.js';

const block: ResourceByKind['IPAMBlock'] = {
  cidr: '192.168.0.0/30',
  affinity: 'host:calico-01',
  affinity_claim_time: '2026-01-02T03:04:05Z',
  allocations: [0, null, 1, null],
  unallocated: [1, 3],
  attributes: [
    { handle_id: 'k8s-pod-network.abc', secondary: { pod: 'p', note: '"7":12345678901234567890' } },
    { releasedAt: '2026-01-02T03:05:00Z' },
  ],
  sequenceNumber: 1767323045000000009n,
  sequenceNumberForAllocation: { '0': 1767323045000000001n, '2': 1767323045000000008n },
  deleted: false,
};

describe('decodeStored()', () => {
  const web: ResourceKey<'NetworkPolicy'> = { kind: 'NetworkPolicy', namespace: 'shop', name: 'web' };
  const policy = (metadata: object, spec: object = {}) =>
    JSON.stringify({ kind: 'NetworkPolicy', apiVersion: 'projectcalico.org/v3', metadata, spec });

  test('gives back every example that encodeStored() wrote', () => {
    for (const definition of Object.values(publicKinds)) {
      const { metadata, spec } = definition.examples.valid;
      const kind = definition.kind;
      if (!isPublicKind(kind)) throw new Error(kind);
      const value = {
        apiVersion: 'projectcalico.org/v3',
        kind,
        metadata,
        spec,
      } as unknown as ResourceByKind[typeof kind];
      const key: ResourceKey = { kind, ...metadata };
      expect(decodeStored(key, encodeStored(kind, value))).toMatchObject({ kind, metadata, spec });
    }
  });

  test('keeps a sequence number beyond 2^53 to the last digit', () => {
    const text = encodeStored('IPAMBlock', block);
    expect(text).toContain('"sequenceNumber":1767323045000000009,');
    expect(decodeStored({ kind: 'IPAMBlock', name: '192.168.0.0/30' }, text)).toEqual(block);
  });

  test('reads IPAM settings in the spelling of the store, what Go leaves out included', () => {
    const key = { kind: 'IPAMConfiguration', name: 'default' } as const;
    const spec = (stored: object) => decodeStored(key, JSON.stringify(stored)).spec;
    expect(decodeStored(key, '{}')).toMatchObject({ kind: key.kind, metadata: { name: 'default' } });
    expect(spec({})).toEqual({ strictAffinity: false, autoAllocateBlocks: true });
    expect(spec({ strict_affinity: true, later: 1 })).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: false,
      later: 1,
    });
    expect(spec({ strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 4 })).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 4,
    });
    const text = encodeStored(key.kind, decodeStored(key, '{"strict_affinity":true,"ipCooldownSeconds":3}'));
    expect(text).toBe('{"strict_affinity":true,"auto_allocate_blocks":false,"ipCooldownSeconds":3}');
    expect(formatKeyPath(key)).toBe('/calico/ipam/v2/config');
    expect(parseKeyPath('/calico/ipam/v2/config')).toEqual(key);
  });

  test('reads null lists as empty and null fields as absent', () => {
    const text = '{"cidr":"192.168.0.0/30","affinity":null,"allocations":[null],"unallocated":null,"attributes":null}';
    expect(decodeStored({ kind: 'IPAMBlock', name: '192.168.0.0/30' }, text)).toEqual({
      cidr: '192.168.0.0/30',
      allocations: [null],
      unallocated: [],
      attributes: [],
    });
  });

  test('reads an empty affinity as an object without state', () => {
    expect(decodeStored({ kind: 'BlockAffinity', name: 'host:calico-01/192.168.0.0/26' }, '')).toEqual({});
  });

  test("takes a policy's name from the annotation and removes it", () => {
    const text = policy({ name: 'x', annotations: { 'projectcalico.org/metadata': '{"name":"default.web"}' } });
    const value = decodeStored(web, text);
    expect(value.metadata).toEqual({
      name: 'default.web',
      namespace: 'shop',
      labels: { 'projectcalico.org/tier': 'default' },
    });
  });

  test('strips the prefix of the default tier from a policy without annotation', () => {
    expect(decodeStored({ ...web, name: 'default.web' }, policy({ name: 'default.web' })).metadata.name).toBe('web');
    const inTier = policy({ name: 'security.web' }, { tier: 'security' });
    expect(decodeStored({ ...web, name: 'security.web' }, inTier).metadata.name).toBe('security.web');
  });

  test('keeps unknown fields of newer versions', () => {
    const value = decodeStored(web, policy({ name: 'web', finalizers: ['a'] }, { newField: 1 }));
    expect(value).toMatchObject({ metadata: { finalizers: ['a'] }, spec: { newField: 1 } });
  });

  test('turns digits in text into numbers, as people may have typed them', () => {
    const rule = { action: 'Allow', protocol: '6', destination: { ports: ['80', '90:100'] } };
    const value = decodeStored(web, policy({ name: 'web' }, { ingress: [rule] }));
    expect(value.spec.ingress?.[0]).toEqual({ action: 'Allow', protocol: 6, destination: { ports: [80, '90:100'] } });
  });

  test('names the path of what has the wrong structure', () => {
    const text = policy(
      { name: 'web' },
      { ingress: [{ action: 'Allow' }, { action: 'Allow', source: { nets: ['a', 7] } }] },
    );
    expect(() => decodeStored(web, text)).toThrow(
      'stored NetworkPolicy "shop/web" cannot be read: spec.ingress[1].source.nets[1]: it is not a string',
    );
  });

  test('throws nothing but ValidationError, whatever the text', () => {
    const kinds = fc.constantFrom(...ALL_KINDS);
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((spec) => JSON.stringify({ spec, metadata: spec })),
    );
    fc.assert(
      fc.property(kinds, anything, (kind, text) => {
        try {
          decodeStored({ kind, name: 'x' }, text);
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
        }
      }),
    );
    expect.hasAssertions();
  });
});

describe('encodeStored()', () => {
  test('writes kind, apiVersion, metadata, spec in that order, without resourceVersion, with whole seconds', () => {
    const text = encodeStored('Tier', {
      apiVersion: 'projectcalico.org/v3',
      kind: 'Tier',
      metadata: { name: 'security', resourceVersion: '7', creationTimestamp: '2026-01-02T03:04:05.678Z' },
      spec: { order: 100 },
    });
    expect(text).toBe(
      '{"kind":"Tier","apiVersion":"projectcalico.org/v3","metadata":{"name":"security","creationTimestamp":"2026-01-02T03:04:05Z"},"spec":{"order":100}}',
    );
  });

  test("writes a policy's name as annotation and its tier as label", () => {
    const text = encodeStored('GlobalNetworkPolicy', {
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'a' },
      spec: { tier: 'security' },
    });
    const { metadata } = JSON.parse(text) as { metadata: unknown };
    expect(metadata).toEqual({
      name: 'a',
      labels: { 'projectcalico.org/tier': 'security' },
      annotations: { 'projectcalico.org/metadata': '{"name":"a"}' },
    });
  });
});

describe('key paths', () => {
  const paths: readonly [string, ResourceKey][] = [
    ['/calico/resources/v3/projectcalico.org/ippools/office', { kind: 'IPPool', name: 'office' }],
    [
      '/calico/resources/v3/projectcalico.org/networkpolicies/shop/web',
      { kind: 'NetworkPolicy', namespace: 'shop', name: 'web' },
    ],
    ['/calico/ipam/v2/assignment/ipv4/block/192.168.0.0-26', { kind: 'IPAMBlock', name: '192.168.0.0/26' }],
    ['/calico/ipam/v2/assignment/ipv6/block/fd80::40-122', { kind: 'IPAMBlock', name: 'fd80::40/122' }],
    [
      '/calico/ipam/v2/host/calico-01/ipv4/block/192.168.0.0-26',
      { kind: 'BlockAffinity', name: 'host:calico-01/192.168.0.0/26' },
    ],
    [
      '/calico/ipam/v2/virtual/load-balancer/ipv6/block/fd80::-122',
      { kind: 'BlockAffinity', name: 'virtual:load-balancer/fd80::/122' },
    ],
    ['/calico/ipam/v2/handle/net.abc', { kind: 'IPAMHandle', name: 'net.abc' }],
    ['/calico/ipam/v2/config', { kind: 'IPAMConfiguration', name: 'default' }],
  ];

  test.each(paths)('%s', (path, key) => {
    expect(formatKeyPath(key)).toBe(path);
    expect(parseKeyPath(path)).toEqual(key);
    expect(keyPrefixes(key.kind).some((prefix) => path.startsWith(prefix))).toBe(true);
  });

  test.each([
    '/calico/ipam/v2/host/calico-01',
    '/calico/ipam/v2/host/calico-01/ipv4/block/',
    '/calico/ipam/v2/assignment/ipv4/block/fd80::-122',
    '/calico/resources/v3/projectcalico.org/networkpolicies/web',
    '/calico/resources/v3/projectcalico.org/ippools/',
    '/calico/resources/v3/projectcalico.org/unicorns/a',
    '/registry/pods/a',
  ])('%s is no object of ours', (path) => {
    expect(parseKeyPath(path)).toBeUndefined();
  });

  test('a namespaced kind without namespace has none', () => {
    expect(() => formatKeyPath({ kind: 'NetworkSet', name: 'a' })).toThrow('NetworkSet "a" has no namespace');
  });

  test('any text is parsed or refused, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('/calico/ipam/v2/', '/calico/resources/v3/projectcalico.org/ippools/', ''),
        fc.string(),
        (prefix, rest) => {
          const key = parseKeyPath(prefix + rest);
          if (key !== undefined) expect(formatKeyPath(key)).toBe(prefix + rest);
        },
      ),
    );
    expect.hasAssertions();
  });
});
