import { describe, expect, test } from 'vitest';
import { CalicoctlFake, ok, refused } from '../calicoctl.fake.js';

const POLICY = `
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: web, namespace: shop, labels: {a: "1", b: "2"}}
spec: {order: 10, selector: app == 'web', ingress: [{action: Allow, protocol: TCP}, {action: Deny}]}
`;

async function withPolicy(): Promise<CalicoctlFake> {
  const calicoctl = new CalicoctlFake();
  await calicoctl.run(['apply', '-f', '-'], POLICY);
  return calicoctl;
}

interface Shown {
  readonly metadata: { readonly labels: Record<string, string>; readonly resourceVersion: string };
  readonly spec: { readonly order: number; readonly ingress: readonly unknown[] };
}

async function shown(calicoctl: CalicoctlFake): Promise<Shown> {
  const { stdout } = await calicoctl.run(['get', 'np', 'web', '-n', 'shop', '-o', 'json']);
  return JSON.parse(stdout) as Shown;
}

const patch = (calicoctl: CalicoctlFake, text: string, ...more: string[]) =>
  calicoctl.run(['patch', 'np', 'web', '-n', 'shop', '-p', text, ...more]);

describe('calicoctl patch', () => {
  test('merges strategically unless told otherwise', async () => {
    const calicoctl = await withPolicy();
    const done = await patch(
      calicoctl,
      '{"metadata": {"labels": {"a": null}}, "spec": {"ingress": [{"action": "Log"}]}}',
    );
    expect(done).toEqual(ok("Successfully patched 1 'NetworkPolicy' resource\n"));
    const { metadata, spec } = await shown(calicoctl);
    expect(metadata.labels).toEqual({ b: '2', 'projectcalico.org/tier': 'default' });
    expect([spec.order, spec.ingress]).toEqual([10, [{ action: 'Log' }]]);
  });

  test('knows JSON patches and merge patches', async () => {
    const calicoctl = await withPolicy();
    const operations =
      '[{"op": "test", "path": "/spec/order", "value": 10}, {"op": "remove", "path": "/spec/ingress/0"}]';
    expect((await patch(calicoctl, operations, '--type', 'json')).status).toBe(0);
    expect((await patch(calicoctl, 'spec: {order: 20}', '-t', 'merge')).status).toBe(0);
    const { spec } = await shown(calicoctl);
    expect([spec.order, spec.ingress]).toEqual([20, [{ action: 'Deny' }]]);
  });

  test.each([
    [
      '{"spec": {"order": "x", "oder": 1}}',
      [],
      /^hit error: NetworkPolicy "shop\/web": spec\.oder: field in document is not recognized or is in the wrong location: oder\n {2}hint: did you mean "order"\?\nhit error: NetworkPolicy "shop\/web": spec\.order: /,
    ],
    ['{"metadata": {"name": "other"}}', [], /^hit error: a patch cannot change metadata\.name \("web"\)\n$/],
    ['{"metadata": {"resourceVersion": "1"}}', [], /^hit error: update conflict: NetworkPolicy\(shop\/web\)\n/],
    ['[{"op": "remove", "path": "/spec/nope"}]', ['-t', 'json'], /^hit error: patch\[0\]: there is no \/spec\/nope\n$/],
    ['{"a"', [], /^patch:1:\d+: it is not YAML: /],
    ['', [], /^no patch given\n {2}hint: /],
    ['{}', ['-t', 'x'], /^patch type "x" is not one of strategic, json, merge\n$/],
  ])('refuses %s %j and changes nothing', async (text, more, message) => {
    const calicoctl = await withPolicy();
    const before = await shown(calicoctl);
    const { status, stdout, stderr } = await patch(calicoctl, text, ...more);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(await shown(calicoctl)).toEqual(before);
  });

  test.each([
    [
      ['patch', 'np', 'nope', '-p', '{}'],
      'hit error: resource does not exist: NetworkPolicy(default/nope) with error: NetworkPolicy "default/nope" does not exist\n',
    ],
    [['patch', 'foo', 'x', '-p', '{}'], "resource type 'foo' is not supported\n"],
    [['patch', 'np', '', '-p', '{}'], 'resource name may not be empty\n'],
    [['patch', 'node', 'x', '-p', '{}', '-n', 'a'], 'Node is not namespaced\n'],
    [
      ['patch', 'clusterinfo', 'default', '-p', '{}'],
      'operation patch is not supported on ClusterInformation: resource is readonly\n',
    ],
  ])('refuses %j', async (words, message) => {
    expect(await new CalicoctlFake().run(words)).toEqual(refused(message));
  });
});

describe('calicoctl label', () => {
  const label = (calicoctl: CalicoctlFake, ...words: string[]) =>
    calicoctl.run(['label', 'policy', 'web', '-n', 'shop', ...words]);

  test('sets, updates and removes', async () => {
    const calicoctl = await withPolicy();
    expect(await label(calicoctl, 'c=3')).toEqual(ok('Successfully set label c on policy web\n'));
    expect(await label(calicoctl, 'c=3')).toEqual(ok('Successfully updated label c on policy web\n'));
    expect(await label(calicoctl, 'c=4', '--overwrite')).toEqual(ok('Successfully updated label c on policy web\n'));
    expect(await label(calicoctl, 'a', '--remove')).toEqual(ok('Successfully removed label a from policy web\n'));
    expect(await label(calicoctl, 'd=')).toEqual(ok('Successfully set label d on policy web\n'));
    expect((await shown(calicoctl)).metadata.labels).toEqual({
      b: '2',
      c: '4',
      d: '',
      'projectcalico.org/tier': 'default',
    });
  });

  test.each([
    [
      ['a=9'],
      "failed to update label of policy web, key a is already present. please use '--overwrite' to set a new value\n",
    ],
    [['z', '--remove'], 'cannot remove label of policy web, key z does not exist\n'],
    [['z'], 'invalid label z\n  hint: write KEY=VALUE, or KEY --remove\n'],
    [['=z'], 'invalid label =z\n  hint: write KEY=VALUE, or KEY --remove\n'],
    [['a=b=c'], 'invalid label a=b=c\n  hint: write KEY=VALUE, or KEY --remove\n'],
  ])('refuses %j', async (words, message) => {
    expect(await label(await withPolicy(), ...words)).toEqual(refused(message));
  });

  test('refuses what can be no label', async () => {
    const { status, stderr } = await label(await withPolicy(), 'a b=c');
    expect([status, stderr.startsWith('invalid label a b=c: ')]).toEqual([1, true]);
  });

  test('says what is not there', async () => {
    const calicoctl = new CalicoctlFake();
    expect(await calicoctl.run(['label', 'nodes', 'n1', 'a=b'])).toEqual(
      refused('resource does not exist: Node(n1) with error: Node "n1" does not exist\n'),
    );
  });
});

describe('calicoctl validate', () => {
  test('needs no datastore, and counts what is right', async () => {
    const calicoctl = new CalicoctlFake();
    expect(await calicoctl.run(['validate', '-f', '-'], POLICY)).toEqual(
      ok("Successfully validated 1 'NetworkPolicy' resource(s)\n"),
    );
    expect((await calicoctl.run(['get', 'np', '-A'])).stdout).toBe('NAMESPACE   NAME   TIER\n\n');
  });

  test('says everything that is wrong, with its place', async () => {
    const text = `${POLICY}---\n${POLICY.replace('order: 10', 'order: x')}---\n${POLICY.replace("app == 'web'", 'app =')}`;
    const { status, stderr } = await new CalicoctlFake().run(['validate', '-f', '-', '-n', 'other'], text);
    expect(status).toBe(1);
    expect(stderr.split('\n').map((line) => line.split(': ').slice(0, 3).join(': '))).toEqual([
      'stdin:4:34: NetworkPolicy "shop/web": metadata.namespace',
      'stdin:11:15: NetworkPolicy "shop/web": spec.order',
      'stdin:17:29: NetworkPolicy "shop/web": spec.selector',
      '',
    ]);
  });

  test('may find nothing, when told so', async () => {
    const calicoctl = new CalicoctlFake();
    expect(await calicoctl.run(['validate', '-f', '-'])).toEqual(refused('no resources specified in file -\n'));
    expect(await calicoctl.run(['validate', '--skip-empty', '-f', '-'])).toEqual(ok(''));
  });
});
