import { beforeAll, describe, expect, test } from 'vitest';
import { CalicoctlFake } from '../calicoctl.fake.js';

const yaml = (kind: string, name: string, spec: object, more: object = {}) =>
  `${JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, ...more }, spec })}\n---\n`;
const workload = (pod: string, namespace: string, address: string) =>
  yaml(
    'WorkloadEndpoint',
    `n1-k8s-${pod}-eth0`,
    {
      orchestrator: 'k8s',
      node: 'n1',
      pod,
      endpoint: 'eth0',
      interfaceName: 'cali1',
      ipNetworks: [`${address}/32`],
      profiles: ['open'],
    },
    { namespace, labels: { app: 'web' } },
  );

const calicoctl = new CalicoctlFake();

beforeAll(async () => {
  const text = [
    yaml('Tier', 'security', { order: 1, defaultAction: 'Pass' }),
    yaml('Profile', 'open', { ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] }),
    yaml('GlobalNetworkPolicy', 'block', {
      tier: 'security',
      ingress: [{ action: 'Deny', source: { selector: "role == 'bad'" } }, { action: 'Log' }],
    }),
    yaml(
      'NetworkPolicy',
      'web',
      {
        selector: "app == 'web'",
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [80, '8000:8080'] } }],
      },
      { namespace: 'shop' },
    ),
    workload('web1', 'shop', '192.0.2.1'),
    workload('web1', 'lab', '192.0.2.2'),
    yaml('HostEndpoint', 'h1', { node: 'n1', expectedIPs: ['198.51.100.1'] }),
  ].join('');
  await calicoctl.run(['apply', '--no-warnings', '-f', '-'], text);
});

describe('calicoctl policy order', () => {
  test('shows tiers, policies, rules and profiles in order, and what becomes of the rest', async () => {
    const { status, stdout } = await calicoctl.run(['policy', 'order', 'shop/web1']);
    expect([status, stdout.split('\n')]).toEqual([
      0,
      [
        'WorkloadEndpoint(shop/n1-k8s-web1-eth0) on n1, 192.0.2.1/32',
        '',
        'ingress',
        'TIER       POLICY                       RULE   DOES',
        "security   GlobalNetworkPolicy(block)   0      Deny from role == 'bad'",
        'security   GlobalNetworkPolicy(block)   1      Log',
        'security   (what is left)               -      Pass',
        'default    NetworkPolicy(shop/web)      0      Allow TCP to port 80, 8000:8080',
        'default    (what is left)               -      Deny',
        '',
        'egress',
        'TIER         POLICY           RULE   DOES',
        '(profiles)   Profile(open)    0      Allow',
        '(end)        (what is left)   -      Deny',
        '',
        '',
      ],
    ]);
  });

  test.each([
    ['192.0.2.2', 'WorkloadEndpoint(lab/n1-k8s-web1-eth0) on n1'],
    ['shop/n1-k8s-web1-eth0', 'WorkloadEndpoint(shop/n1-k8s-web1-eth0) on n1'],
    ['h1', 'HostEndpoint(h1) on n1'],
    ['198.51.100.1', 'HostEndpoint(h1) on n1'],
  ])('finds %s', async (word, heading) => {
    const { stdout } = await calicoctl.run(['policy', 'order', word]);
    expect(stdout.slice(0, heading.length)).toBe(heading);
  });

  test('is told apart by namespace, and says what else was meant', async () => {
    expect((await calicoctl.run(['policy', 'order', 'web1'])).stderr).toBe(
      '"web1" may be WorkloadEndpoint(lab/n1-k8s-web1-eth0), WorkloadEndpoint(shop/n1-k8s-web1-eth0)\n  hint: name one as NAMESPACE/NAME\n',
    );
    expect((await calicoctl.run(['policy', 'order', 'web1', '-n', 'lab'])).stdout).toContain('lab/n1-k8s-web1-eth0');
    expect((await calicoctl.run(['policy', 'order', 'shop/web2'])).stderr).toBe(
      'there is no workload or host endpoint "shop/web2"\n  hint: did you mean "shop/web1"?\n',
    );
  });

  test('gives the same to programs', async () => {
    const { stdout } = await calicoctl.run(['policy', 'order', 'shop/web1', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'WorkloadEndpoint',
      namespace: 'shop',
      node: 'n1',
      stages: [
        {
          stage: 'workload',
          ingress: {
            tiers: [
              { tier: 'security', otherwise: 'Pass' },
              { tier: 'default', otherwise: 'Deny' },
            ],
            leavesTiers: false,
          },
        },
      ],
    });
    expect((await calicoctl.run(['policy', 'order', 'h1', '-o', 'xml'])).stderr).toBe(
      "unrecognized output format 'xml'\n  hint: write ps, yaml or json\n",
    );
  });

  test('says which rules no host can enforce', async () => {
    const own = new CalicoctlFake();
    const ingress = [{ action: 'Allow', protocol: 'TCP', http: { methods: ['GET'] } }];
    const text = workload('web1', 'shop', '192.0.2.1') + yaml('GlobalNetworkPolicy', 'readers', { ingress });
    await own.run(['apply', '--no-warnings', '-f', '-'], text);
    expect((await own.run(['policy', 'order', 'web1'])).stderr).toBe(
      'GlobalNetworkPolicy "readers": spec.ingress[0] matches by HTTP requests, which no host can do yet: the rule matches nothing\n',
    );
  });
});
