import { describe, expect, test } from 'vitest';
import { withWriteDefaults } from '../api/validate.js';
import type { PublicKind, PublicResourceByKind } from '../api/registry.js';
import type { Advice } from './advice.js';
import { advise } from './advise.js';
import { Cluster, type Fact } from './cluster.js';

type Fields = { readonly labels?: Record<string, string>; readonly spec?: object };

/** A fact by `KIND [NAMESPACE/]NAME`, with the defaults that are stored. */
function fact(identity: string, { labels, spec = {} }: Fields = {}): Fact {
  const [kind = '', key = ''] = identity.split(' ');
  const [first = '', second] = key.split('/');
  const named = second === undefined ? { name: first } : { namespace: first, name: second };
  const metadata = { ...named, ...(labels === undefined ? {} : { labels }) };
  const value = withWriteDefaults({
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata,
    spec,
  } as unknown as PublicResourceByKind[PublicKind]);
  return { kind, key: { kind, ...named }, value, revision: '' } as unknown as Fact;
}

function gone(identity: string): Fact {
  return { ...fact(identity), value: undefined } as Fact;
}

let number = 0;
function workload(name: string, labels: Record<string, string>, spec: object = {}): Fact {
  number += 1;
  const common = { orchestrator: 'cni', node: 'n1', interfaceName: 'cali1', profiles: ['open'] };
  return fact(`WorkloadEndpoint ${name}`, {
    labels,
    spec: { ...common, ipNetworks: [`10.0.0.${number}/32`], ...spec },
  });
}

const open = fact('Profile open', { spec: { ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] } });
const cluster = () =>
  new Cluster([
    open,
    fact('Tier default', { spec: { defaultAction: 'Deny' } }),
    workload('shop/web-1', { app: 'frontend', tier: 'web' }),
    workload('shop/web-2', { app: 'frontend', tier: 'web' }),
    workload('shop/db', { app: 'database' }),
    fact('GlobalNetworkSet partners', { labels: { role: 'partner' }, spec: { nets: ['198.51.100.0/24'] } }),
  ]);

const said = (advice: readonly Advice[]) =>
  advice.map(
    ({ subject, message, hint }) => `${subject ?? 'all'}: ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );
const tell = (changes: readonly Fact[], before = cluster()) => said(advise(before, changes));

const policy = (spec: object, name = 'NetworkPolicy shop/p') => fact(name, { spec });
const allowDns = { action: 'Allow', protocol: 'UDP', destination: { ports: [53] } };

describe('selectsNothing()', () => {
  test('says where nobody is found, and nothing where somebody is, or nobody could be', () => {
    expect(tell([policy({ selector: "app == 'cache'" })])).toEqual([
      `NetworkPolicy "shop/p": it selects nothing: namespace "shop" has no endpoint that matches app == 'cache'`,
    ]);
    expect(tell([policy({}, 'NetworkPolicy lab/p')])).toEqual([
      'NetworkPolicy "lab/p": it selects nothing: namespace "lab" has no endpoint at all',
    ]);
    expect(tell([policy({ selector: 'has(nothing)' }, 'GlobalNetworkPolicy p')])).toEqual([
      'GlobalNetworkPolicy "p": it selects nothing: there is no endpoint that matches has(nothing)',
    ]);
    expect(tell([policy({ selector: "app == 'database'" })])).toEqual([]);
    expect(tell([policy({ selector: "app == 'cache'" })], new Cluster([]))).toEqual([]);
  });

  test('counts endpoints that come with the change', () => {
    expect(tell([policy({ selector: "app == 'cache'" }), workload('shop/c', { app: 'cache' })])).toEqual([]);
  });
});

describe('nearMisses()', () => {
  test('guesses which label or value was meant, in every selector', () => {
    const advice = tell([
      policy({
        selector: "appp == 'frontend'",
        ingress: [
          { action: 'Allow', source: { selector: "app == 'fronted'" } },
          { action: 'Deny', source: { notSelector: "app in {'frontend', 'databsae'}" } },
        ],
      }),
    ]);
    expect(advice).toContain('NetworkPolicy "shop/p": spec.selector: nothing has a label "appp" | did you mean "app"?');
    expect(advice).toContain(
      'NetworkPolicy "shop/p": spec.ingress[0].source.selector: nothing has "fronted" as its label "app" | did you mean "frontend"?',
    );
    expect(advice).toContain(
      'NetworkPolicy "shop/p": spec.ingress[1].source.notSelector: nothing has "databsae" as its label "app" | did you mean "database"?',
    );
  });

  test('guesses at a word of two letters where one of three is known, and the other way round', () => {
    const before = new Cluster([workload('shop/a', { app: 'db', e: 'f' })]);
    const guess = (selector: string) => tell([policy({ selector })], before).filter((each) => each.includes('did you'));
    expect(guess("ap == 'db'")).toEqual([
      'NetworkPolicy "shop/p": spec.selector: nothing has a label "ap" | did you mean "app"?',
    ]);
    expect(guess("app == 'dbb'")).toEqual([
      'NetworkPolicy "shop/p": spec.selector: nothing has "dbb" as its label "app" | did you mean "db"?',
    ]);
    expect([guess("app == 'da'"), guess('has(ee)'), guess('has(a)')]).toEqual([[], [], []]);
  });

  test('takes another number and a word of its own for what they are', () => {
    const before = new Cluster([workload('shop/a', { net: 'net1', app: 'frontend' })]);
    expect(
      tell(
        [
          policy({
            selector: "net == 'net1'",
            ingress: [{ action: 'Allow', source: { selector: "net == 'net2' || app == 'cache'" } }],
          }),
        ],
        before,
      ),
    ).toEqual([]);
  });

  test('knows the labels of namespaces by their profiles', () => {
    const before = new Cluster([
      fact('Profile kns.shop', { spec: { labelsToApply: { 'pcns.team': 'blue' } } }),
      workload('shop/a', {}, { profiles: ['kns.shop'] }),
    ]);
    expect(
      tell([policy({ selector: 'all()', namespaceSelector: "team == 'blu'" }, 'GlobalNetworkPolicy p')], before),
    ).toContain(
      'GlobalNetworkPolicy "p": spec.namespaceSelector: nothing has "blu" as its label "team" | did you mean "blue"?',
    );
  });
});

describe('unreachableAdvice()', () => {
  test('names the rule that nothing gets to and the one that is in its way', () => {
    expect(
      tell([
        policy({
          selector: "app == 'database'",
          ingress: [
            { action: 'Deny', protocol: 'TCP' },
            { action: 'Allow', protocol: 'TCP', source: { selector: "app == 'frontend'" } },
          ],
        }),
      ]),
    ).toEqual([
      'NetworkPolicy "shop/p": spec.ingress[1] is never reached: spec.ingress[0] (Deny TCP) decides all that it could match | put it before spec.ingress[0], or take it out',
    ]);
  });
});

describe('dnsAdvice()', () => {
  const egress = (...rules: object[]) => policy({ selector: "tier == 'web'", types: ['Egress'], egress: rules });
  const lost =
    'NetworkPolicy "shop/p": it leaves 2 workloads without DNS: nothing lets them reach port 53 any more (shop/web-1, shop/web-2) | add an egress rule for it: {action: Allow, protocol: UDP, destination: {ports: [53]}}';

  test('counts the workloads that lose it, by a deny or by being selected at all', () => {
    const toDatabase = {
      action: 'Allow',
      protocol: 'TCP',
      destination: { selector: "app == 'database'", ports: [5432] },
    };
    expect(tell([egress()])).toEqual([lost]);
    expect(tell([egress(toDatabase)])).toEqual([lost]);
    expect(tell([egress({ action: 'Deny', destination: { ports: [53] }, protocol: 'UDP' })])).toEqual([lost]);
  });

  test('says nothing while any server at all can be reached', () => {
    expect(tell([egress(allowDns)])).toEqual([]);
    expect(tell([egress({ ...allowDns, protocol: 'TCP' })])).toEqual([]);
    expect(tell([egress({ action: 'Allow', destination: { nets: ['192.0.2.53/32'] } })])).toEqual([]);
    expect(tell([egress({ action: 'Allow', destination: { selector: "app == 'database'" } })])).toEqual([]);
    expect(tell([egress({ action: 'Deny', destination: { notNets: ['192.0.2.0/24'] } }, { action: 'Allow' })])).toEqual(
      [],
    );
    expect(tell([egress({ action: 'Pass' })])).toEqual([]);
  });

  test('says nothing of what had none before, and of ingress alone', () => {
    const before = cluster().with([egress()]);
    expect(tell([egress({ action: 'Allow', protocol: 'TCP', destination: { ports: [80] } })], before)).toEqual([]);
    expect(tell([policy({ selector: "tier == 'web'", ingress: [] })])).toEqual([]);
  });

  test('sees that the policy which let it through goes', () => {
    const allow = policy({ order: 1, selector: 'all()', egress: [allowDns] }, 'GlobalNetworkPolicy dns');
    const before = cluster().with([egress(), allow]);
    expect(tell([gone('GlobalNetworkPolicy dns')], before)).toEqual([
      lost.replace('NetworkPolicy "shop/p"', 'GlobalNetworkPolicy "dns"'),
    ]);
    expect(
      tell(
        [
          gone('GlobalNetworkPolicy dns'),
          policy({ selector: 'all()', egress: [allowDns] }, 'GlobalNetworkPolicy more'),
        ],
        before,
      ),
    ).toEqual([]);
  });
});

describe('dnsServerAdvice()', () => {
  const server = workload('kube/dns', { app: 'dns' }, { ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] });
  const before = cluster().with([server]);
  const everywhere = (...ingress: object[]) => policy({ types: ['Ingress'], ingress }, 'GlobalNetworkPolicy deny');
  const closed =
    'GlobalNetworkPolicy "deny": it closes a DNS server: nothing lets anybody reach port 53 there any more (kube/dns) | add an ingress rule for it: {action: Allow, protocol: UDP, destination: {ports: [53]}}';

  test('names the servers that nobody can ask any more', () => {
    expect(tell([everywhere()], before)).toEqual([closed]);
    expect(tell([everywhere({ action: 'Allow', protocol: 'TCP', destination: { ports: [80] } })], before)).toEqual([
      closed,
    ]);
  });

  test('says nothing while somebody can, and where there is none', () => {
    expect(tell([everywhere(allowDns)], before)).toEqual([]);
    expect(tell([everywhere({ action: 'Allow', source: { selector: "tier == 'web'" } })], before)).toEqual([]);
    expect(tell([everywhere({ action: 'Allow', protocol: 'UDP', destination: { ports: ['dns'] } })], before)).toEqual(
      [],
    );
    expect(tell([everywhere()])).toEqual([]);
  });
});

describe('hostAccessAdvice()', () => {
  const host = fact('HostEndpoint h1', {
    labels: { role: 'host' },
    spec: { node: 'n1', interfaceName: 'eth0', expectedIPs: ['192.0.2.1'] },
  });
  const noFailsafe = fact('FelixConfiguration default', {
    spec: { failsafeInboundHostPorts: [], failsafeOutboundHostPorts: [] },
  });
  const onHosts = (spec: object) =>
    policy({ selector: "role == 'host'", types: ['Ingress', 'Egress'], ...spec }, 'GlobalNetworkPolicy hosts');
  const cuts = (subject: string, access: string) =>
    `${subject}: it cuts ${access} of host n1: no rule lets it through, and it is no failsafe port | allow it in a policy of these hosts first, or leave it in FelixConfiguration failsafeInboundHostPorts and failsafeOutboundHostPorts`;

  test('failsafe ports are never lost', () => {
    expect(tell([host, onHosts({})])).toEqual([]);
  });

  test('a host that becomes filtered without them loses what no rule allows', () => {
    const before = cluster().with([noFailsafe]);
    const allowed = onHosts({
      ingress: [
        { action: 'Allow', protocol: 'TCP', source: { nets: ['198.51.100.0/24'] }, destination: { ports: [22, 179] } },
      ],
    });
    expect(tell([host], before)).toEqual([
      cuts('HostEndpoint "h1"', 'SSH (TCP port 22, in)'),
      cuts('HostEndpoint "h1"', 'etcd (TCP port 2379, out)'),
      cuts('HostEndpoint "h1"', 'BGP (TCP port 179, in and out)'),
    ]);
    expect(tell([host, allowed], before)).toEqual([cuts('all', 'etcd (TCP port 2379, out)')]);
  });

  test('a policy that changes, and failsafe ports that go', () => {
    const allowed = onHosts({ ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] });
    const before = cluster().with([noFailsafe, host, allowed]);
    expect(
      tell([onHosts({ ingress: [{ action: 'Allow', protocol: 'UDP' }], egress: [{ action: 'Allow' }] })], before),
    ).toEqual([cuts('GlobalNetworkPolicy "hosts"', 'SSH (TCP port 22, in)')]);
    expect(tell([noFailsafe], cluster().with([host, onHosts({ egress: [{ action: 'Allow' }] })]))).toEqual([
      cuts('FelixConfiguration "default"', 'SSH (TCP port 22, in)'),
    ]);
  });
});
