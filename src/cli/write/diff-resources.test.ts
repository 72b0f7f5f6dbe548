import { describe, expect, test } from 'vitest';
import { CalicoctlFake } from '../calicoctl.fake.js';

const head = 'apiVersion: projectcalico.org/v3\n';
const pool = (more: string) => `${head}kind: IPPool\nmetadata: {name: p1}\nspec: {cidr: 10.0.0.0/16${more}}\n`;
const policy = (rules: string, more = '') =>
  `${head}kind: NetworkPolicy\nmetadata: {name: web, namespace: shop${more}}\nspec: {ingress: [${rules}]}\n`;

describe('calicoctl diff', () => {
  test('says nothing and ends with 0 where applying would change nothing', async () => {
    const calicoctl = new CalicoctlFake().type;
    await calicoctl('apply -f -', pool(''));
    expect(await calicoctl('diff -f -', pool(', blockSize: 26'))).toEqual({ status: 0, stdout: '', stderr: '' });
    const shown = (await calicoctl('get ippool p1 -o yaml')).stdout;
    await calicoctl('apply -f -', pool(''));
    expect((await calicoctl('diff -f -', shown)).status).toBe(0);
  });

  test('shows each field that would differ once defaults and stored labels are in, and ends with 1', async () => {
    const calicoctl = new CalicoctlFake().type;
    await calicoctl(
      'apply -f -',
      `${pool(', natOutgoing: false')}---\n${policy('{action: Allow}, {action: Deny}', ', labels: {a: b}')}`,
    );
    const wanted = `${pool(', natOutgoing: true')}---\n${policy('{action: Log}, {action: Allow}, {action: Deny, protocol: TCP}', ', labels: {c: d}')}`;
    expect(await calicoctl('diff -f -', wanted)).toEqual({
      status: 1,
      stderr: '',
      stdout: [
        '~ IPPool(p1)',
        '    spec.natOutgoing: false → true',
        '~ NetworkPolicy(shop/web)',
        '  + metadata.labels.c: d',
        '  + spec.ingress[0]: {action: Log}',
        '  + spec.ingress[2].protocol: TCP',
        '',
      ].join('\n'),
    });
  });

  test('shows a new resource whole, with its defaults', async () => {
    const calicoctl = new CalicoctlFake().type;
    const tier = `${head}kind: Tier\nmetadata: {name: security}\nspec: {order: 5}\n`;
    expect((await calicoctl('diff -f -', tier)).stdout).toBe(
      [
        '+ Tier(security)',
        '  + apiVersion: projectcalico.org/v3',
        '  + kind: Tier',
        '  + metadata:',
        '  +   name: security',
        '  + spec:',
        '  +   defaultAction: Deny',
        '  +   order: 5',
        '',
      ].join('\n'),
    );
  });

  test('ends with 2 when something is wrong, and shows the rest all the same', async () => {
    const calicoctl = new CalicoctlFake().type;
    await calicoctl('apply -f -', pool(''));
    const refused = await calicoctl('diff -f -', `${pool(', blockSize: 27')}---\n${policy('')}`);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('spec.blockSize: it cannot change (from 26 to 27)');
    expect(refused.stdout).toContain('+ NetworkPolicy(shop/web)');
    expect((await calicoctl('diff -f -', 'kind: Foo')).status).toBe(2);
    expect((await calicoctl('diff')).status).toBe(2);
    expect((await calicoctl('diff --no-such-flag')).status).toBe(2);
  });

  test('colours what it prints for a person', async () => {
    const calicoctl = new CalicoctlFake(undefined, { terminals: { stdout: true, stderr: true } }).type;
    await calicoctl('apply -f -', pool(', natOutgoing: false'));
    expect((await calicoctl('diff -f -', pool(', natOutgoing: true'))).stdout).toBe(
      '\x1b[1m~ IPPool(p1)\x1b[0m\n    spec.natOutgoing: \x1b[31mfalse\x1b[0m → \x1b[32mtrue\x1b[0m\n',
    );
  });
});
