import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CalicoctlFake } from '../../../src/cli/calicoctl.fake.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../../setup/etcd.js';

let etcd: TestEtcd;
let store: EtcdDatastore;

beforeAll(async () => {
  etcd = await TestEtcd.start();
  store = new EtcdDatastore(etcd.config);
  for (const [name, namespace] of [
    ['here', 'default'],
    ['there', 'shop'],
  ] as const) {
    await calicoctl(`create -f - -n ${namespace}`, policy(name));
  }
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await etcd.stop();
});

const calicoctl = (line: string, stdin = '') => new CalicoctlFake(store).type(line, stdin);

const policy = (name: string, namespace?: string) =>
  JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: {},
  });
const set = (namespace?: string) =>
  JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkSet',
    metadata: { name: 'set', ...(namespace === undefined ? {} : { namespace }) },
    spec: {},
  });

describe('the namespace of what is written', () => {
  test.each([
    ['that of the document', 'one', '', 'one'],
    ['that of -n', undefined, ' -n two', 'two'],
    ['both, where they agree', 'three', ' -n three', 'three'],
    ['default, where neither says one', undefined, '', 'default'],
    ['default for an empty one', '', '', 'default'],
  ])('is %s', async (_, inDocument, option, wanted) => {
    const name = `is-${wanted}`;
    expect((await calicoctl(`apply -f -${option}`, policy(name, inDocument))).status).toBe(0);
    expect((await store.get({ kind: 'NetworkPolicy', namespace: wanted, name })).key.namespace).toBe(wanted);
  });

  test.each([
    ['two that differ', policy('x', 'a'), '-n b', 'resource namespace does not match client namespace. a != b'],
    [
      'one on a kind without',
      set('a'),
      '',
      'namespace should not be specified for a non-namespaced resource. GlobalNetworkSet is not a namespaced resource',
    ],
    ['-n for a kind without', set(), '-n a', 'GlobalNetworkSet is not namespaced'],
  ])('%s are refused', async (_, document, option, message) => {
    const { status, stdout, stderr } = await calicoctl(`apply -f - ${option}`.trim(), document);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });
});

describe('the namespace of what is asked for', () => {
  test('is default unless told otherwise', async () => {
    expect((await calicoctl('get np here')).stdout).toBe('NAME   TIER\nhere   default\n\n');
    expect((await calicoctl('get np there')).status).toBe(1);
    expect((await calicoctl('get np there -n shop')).stdout).toBe(
      'NAMESPACE   NAME    TIER\nshop        there   default\n\n',
    );
    expect((await calicoctl('get np -A')).stdout).toMatch(/^NAMESPACE {3}NAME .*\ndefault {5}here/);
    expect((await calicoctl('get np -a')).stdout).toMatch(/\nshop /);
  });

  test.each([
    ['get np -A -n shop', 'cannot use both --namespace and --all-namespaces flags at the same time\n'],
    ['get np here -A', 'cannot use --all-namespace flag for getting a single resource\n'],
    ['get gnetsets -A', 'GlobalNetworkSet is not namespaced\n'],
    ['delete gnetsets x -n shop', 'GlobalNetworkSet is not namespaced\n'],
    ['label tier default a=b -n shop', 'Tier is not namespaced\n'],
    [
      'delete np nowhere there',
      /Failed to delete 'NetworkPolicy' resource: resource does not exist: NetworkPolicy\(default\/there\)/,
    ],
  ])('%s is refused', async (line, message) => {
    const { status, stderr } = await calicoctl(line);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      typeof message === 'string' ? new RegExp(`^${message.replace(/[.()]/g, '\\$&')}$`) : message,
    );
  });
});
