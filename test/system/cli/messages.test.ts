import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isPublicKind, publicKinds } from '../../../src/api/registry.js';
import { CalicoctlFake } from '../../../src/cli/calicoctl.fake.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../../setup/etcd.js';

let etcd: TestEtcd;
let store: EtcdDatastore;

beforeAll(async () => {
  etcd = await TestEtcd.start();
  store = new EtcdDatastore(etcd.config);
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await etcd.stop();
});

afterEach(async () => {
  for (const kind of ['GlobalNetworkSet', 'NetworkSet', 'NetworkPolicy', 'Tier'] as const) {
    for (const { key } of (await store.list(kind)).items) await store.delete(key);
  }
});

const calicoctl = (line: string, stdin = '') => new CalicoctlFake(store).type(line, stdin);

const head = 'apiVersion: projectcalico.org/v3';
const set = (name: string, nets = '192.0.2.0/24') =>
  `${head}\nkind: GlobalNetworkSet\nmetadata: {name: ${name}}\nspec: {nets: [${nets}]}\n`;
const tier = (name: string) => `${head}\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: 7}\n`;
const policy = (name: string, inTier: string) =>
  `${head}\nkind: NetworkPolicy\nmetadata: {name: ${name}}\nspec: {tier: ${inTier}}\n`;
const both = (...texts: readonly string[]) => texts.join('---\n');

const EXISTS = 'resource already exists: GlobalNetworkSet(a) with error: GlobalNetworkSet "a" exists already';
const MISSING = 'resource does not exist: GlobalNetworkSet(z) with error: GlobalNetworkSet "z" does not exist';

describe('all done', () => {
  test.each([
    ['create', 'created'],
    ['apply', 'applied'],
  ])('%s', async (verb, done) => {
    expect(await calicoctl(`${verb} -f -`, set('a'))).toEqual({
      status: 0,
      stdout: `Successfully ${done} 1 'GlobalNetworkSet' resource(s)\n`,
      stderr: '',
    });
    expect((await calicoctl(`${verb} -f -`, both(set('b'), set('c')))).stdout).toBe(
      `Successfully ${done} 2 'GlobalNetworkSet' resource(s)\n`,
    );
    expect((await calicoctl(`${verb} -f -`, both(set('d'), tier('d')))).stdout).toBe(
      `Successfully ${done} 2 resource(s)\n`,
    );
  });

  test('replace, delete and patch', async () => {
    await calicoctl('create -f -', both(set('a'), set('b')));
    expect((await calicoctl('replace -f -', both(set('a'), set('b')))).stdout).toBe(
      "Successfully replaced 2 'GlobalNetworkSet' resource(s)\n",
    );
    expect((await calicoctl('patch gnetsets a -p {"metadata":{"labels":{"x":"y"}}}')).stdout).toBe(
      "Successfully patched 1 'GlobalNetworkSet' resource\n",
    );
    expect((await calicoctl('delete globalnetworksets a b')).stdout).toBe(
      "Successfully deleted 2 'GlobalNetworkSet' resource(s)\n",
    );
  });

  test('label', async () => {
    await calicoctl('create -f -', set('a'));
    expect((await calicoctl('label GlobalNetworkSet a x=1')).stdout).toBe(
      'Successfully set label x on GlobalNetworkSet a\n',
    );
    expect((await calicoctl('label GlobalNetworkSet a x=1')).stdout).toBe(
      'Successfully updated label x on GlobalNetworkSet a\n',
    );
    expect((await calicoctl('label GlobalNetworkSet a x=2')).stderr).toBe(
      "failed to update label of GlobalNetworkSet a, key x is already present. please use '--overwrite' to set a new value\n",
    );
    expect((await calicoctl('label GlobalNetworkSet a x --remove')).stdout).toBe(
      'Successfully removed label x from GlobalNetworkSet a\n',
    );
    expect((await store.get({ kind: 'GlobalNetworkSet', name: 'a' })).value.metadata.labels).toEqual({});
  });
});

describe('failures', () => {
  test('of one resource and of all of several', async () => {
    await calicoctl('create -f -', both(set('a'), set('b')));
    expect(await calicoctl('create -f -', set('a'))).toEqual({
      status: 1,
      stdout: '',
      stderr: `failed to create 'GlobalNetworkSet' resource: [${EXISTS}]\n`,
    });
    expect((await calicoctl('create -f -', both(set('a'), set('b')))).stderr).toBe(
      `failed to create any 'GlobalNetworkSet' resources: [${EXISTS} ${EXISTS.replaceAll('(a)', '(b)').replace('"a"', '"b"')}]\n`,
    );
    await calicoctl('create -f -', tier('a'));
    expect((await calicoctl('create -f -', both(set('a'), tier('a')))).stderr).toMatch(
      /^failed to create any resources: \[resource already exists: GlobalNetworkSet\(a\) .* resource already exists: Tier\(a\) /,
    );
  });

  test('of some', async () => {
    await calicoctl('create -f -', set('a'));
    expect(await calicoctl('create -f -', both(set('a'), set('b'), set('c')))).toEqual({
      status: 1,
      stdout: "Partial success: created the first 2 out of 3 'GlobalNetworkSet' resources:\n",
      stderr: `hit error: [${EXISTS}]\n  not created: GlobalNetworkSet(a); all others were\n`,
    });
  });

  test('of a replace, a delete, a patch and a get', async () => {
    expect(await calicoctl('replace -f -', set('z'))).toEqual({
      status: 1,
      stdout: "Partial success: replaced the first 1 out of 1 'GlobalNetworkSet' resources:\n",
      stderr: `hit error: ${MISSING}\n`,
    });
    expect((await calicoctl('delete gnetsets z')).stderr).toBe(
      `Failed to delete 'GlobalNetworkSet' resource: ${MISSING}\n`,
    );
    expect((await calicoctl('delete -s gnetsets z')).status).toBe(0);
    expect((await calicoctl('patch gnetsets z -p {}')).stderr).toBe(`hit error: ${MISSING}\n`);
    await calicoctl('create -f -', set('a'));
    expect(await calicoctl('get gnetsets z a')).toEqual({
      status: 1,
      stdout: 'NAME\na\n\n',
      stderr: `${MISSING}\n`,
    });
  });

  test('of an update that comes too late', async () => {
    await calicoctl('create -f -', set('a'));
    const { stdout } = await calicoctl('get gnetsets a -o yaml');
    await calicoctl('apply -f -', set('a', '198.51.100.0/24'));
    for (const verb of ['apply', 'replace']) {
      const { status, stderr } = await calicoctl(`${verb} -f -`, stdout);
      expect(status).toBe(1);
      expect(stderr).toContain('update conflict: GlobalNetworkSet(a)');
    }
  });

  test('of a policy whose tier is not there, and of a tier that is in use', async () => {
    expect((await calicoctl('create -f -', policy('p', 'nope'))).stderr).toMatch(
      /^failed to create 'NetworkPolicy' resource: \[stdin:4:\d+: NetworkPolicy "default\/p": spec\.tier: tier "nope" does not exist\]\n/,
    );
    await calicoctl('create -f -', both(tier('t'), policy('p', 't')));
    expect((await calicoctl('delete tier t')).stderr).toBe(
      "Failed to delete 'Tier' resource: operation delete is not supported on Tier(t): Cannot delete a non-empty tier\n",
    );
  });

  test('of what is read only', async () => {
    const info = `${head}\nkind: ClusterInformation\nmetadata: {name: default}\nspec: {}\n`;
    expect((await calicoctl('apply -f -', info)).stderr).toContain(
      'operation create or apply is not supported on ClusterInformation: resource is readonly',
    );
    expect((await calicoctl('apply -f -', policy('knp.default.x', 'default'))).stderr).toContain(
      'kubernetes network policies must be managed through the kubernetes API',
    );
    expect((await calicoctl('delete np knp.default.x')).status).toBe(1);
  });

  test('of input without resources', async () => {
    expect((await calicoctl('apply -f -', '# nothing\n')).stderr).toBe('no resources specified in file -\n');
    expect((await calicoctl('apply --skip-empty -f -', '---\n')).status).toBe(0);
    expect((await calicoctl('apply -f -', `${head}\nkind: Foo\n`)).stderr).toContain(
      'unknown resource type (Foo) and/or version (projectcalico.org/v3)',
    );
    expect((await calicoctl('apply -f /nowhere.yaml')).stderr).toBe(
      'failed to execute command: cannot read "/nowhere.yaml": there is no such file\n',
    );
  });
});

describe('every kind', () => {
  test.each(Object.values(publicKinds).filter(({ kind }) => isPublicKind(kind) && kind !== 'ClusterInformation'))(
    '$kind is created, shown, applied again as shown, and deleted',
    async ({ kind, plural, namespaced, examples: { valid } }) => {
      const { name } = valid.metadata;
      const { namespace: _, ...metadata } = valid.metadata;
      const document = JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec: valid.spec });
      const inTier = 'tier' in valid.spec && typeof valid.spec.tier === 'string' ? valid.spec.tier : 'default';
      if (inTier !== 'default') await calicoctl('apply -f -', tier(inTier));
      const where = namespaced ? ' -n shop' : '';
      for (const filter of 'filters' in valid.spec ? (valid.spec.filters as readonly string[]) : []) {
        await calicoctl('apply -f -', `${head}\nkind: BGPFilter\nmetadata: {name: ${filter}}\nspec: {}\n`);
      }
      expect(await calicoctl(`create -f -${where}`, document)).toMatchObject({
        status: 0,
        stdout: `Successfully created 1 '${kind}' resource(s)\n`,
      });
      for (const format of ['yaml', 'json']) {
        const shown = await calicoctl(`get ${plural} ${name} -o ${format}${where}`);
        expect(await calicoctl(`apply -f -${where}`, shown.stdout)).toMatchObject({
          status: 0,
          stdout: `Successfully applied 1 '${kind}' resource(s)\n`,
        });
      }
      expect(await calicoctl(`delete ${kind} ${name}${where}`)).toMatchObject({
        status: 0,
        stdout: `Successfully deleted 1 '${kind}' resource(s)\n`,
      });
    },
  );
});
