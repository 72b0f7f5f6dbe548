import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import type { Datastore } from '../datastore/datastore.js';
import { UnavailableError } from '../base/errors.js';
import { CalicoctlFake, ok, refused } from './calicoctl.fake.js';

function setUp(datastore: Datastore = new MemoryDatastore()) {
  const calicoctl = new CalicoctlFake(datastore, { environment: { CALICOCTL_NO_NOTES: '1' } }).type;
  return { datastore, calicoctl };
}

const pool = (name: string, cidr: string, more = '') => `
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: ${name}
spec:
  cidr: ${cidr}
${more}`;

/** `ab` → `b` is nine times what `a` is. */
const multiply = ([from = '', to = '']: string): string => `${to}: &${to} [${`*${from},`.repeat(9)}]`;

const policies = `
apiVersion: projectcalico.org/v3
kind: NetworkPolicyList
items:
- {apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: web, namespace: shop}, spec: {order: 10, selector: "app == 'web'"}}
- {apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: db}, spec: {}}
`;

describe('calicoctl apply', () => {
  test('creates, then updates', async () => {
    const { calicoctl } = setUp();
    expect(await calicoctl('apply -f -', pool('office', '10.0.0.0/16'))).toEqual(
      ok("Successfully applied 1 'IPPool' resource(s)\n"),
    );
    await calicoctl('apply -f -', pool('office', '10.0.0.0/16', '  natOutgoing: true'));
    expect(await calicoctl('get ippool -o wide')).toEqual(
      ok(
        [
          'NAME     CIDR          NAT    IPIPMODE   VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR   ASSIGNMENTMODE',
          'office   10.0.0.0/16   true   Never      Never       false      false              all()      Automatic',
          '',
          '',
        ].join('\n'),
      ),
    );
  });

  test('reads several documents, lists and JSON, of several kinds', async () => {
    const { calicoctl } = setUp();
    const json = '{"apiVersion":"projectcalico.org/v3","kind":"Tier","metadata":{"name":"a"},"spec":{"order":1}}';
    expect(await calicoctl('apply -f -', `${policies}---\n${json}\n---\n`)).toEqual(
      ok('Successfully applied 3 resource(s)\n'),
    );
    expect((await calicoctl('get networkpolicy -A')).stdout).toBe(
      'NAMESPACE   NAME   TIER\ndefault     db     default\nshop        web    default\n\n',
    );
  });

  test('points at the place of what is wrong, and writes nothing of the file', async () => {
    const { calicoctl } = setUp();
    const text = `${pool('good', '10.0.0.0/16')}\n---${pool('p1', '10.0.0.0/33', '  natOutgoin: true')}`;
    expect(await calicoctl('apply -f -', text)).toEqual(
      refused(
        [
          'stdin:16:3: IPPool "p1": spec.natOutgoin: field in document is not recognized or is in the wrong location: natOutgoin',
          '  hint: did you mean "natOutgoing"?',
          'stdin:15:9: IPPool "p1": spec.cidr: "10.0.0.0/33" is not a CIDR: the prefix is at most 32',
          '',
        ].join('\n'),
      ),
    );
    expect((await calicoctl('get ippool')).stdout).toBe('NAME   CIDR   SELECTOR\n\n');
  });

  test.each([
    ['kind: Foo', 'stdin:1:7: Foo: kind: unknown resource type (Foo) and/or version ()\n'],
    ['a: [', 'stdin:1:5: it is not YAML: '],
    ['', 'no resources specified in file -\n'],
  ])('refuses %j', async (text, message) => {
    const { calicoctl } = setUp();
    const { status, stderr } = await calicoctl('apply -f -', text);
    expect([status, stderr.startsWith(message)]).toEqual([1, true]);
  });

  test('refuses what is read-only and a namespace that differs', async () => {
    const { calicoctl } = setUp();
    const info = '{apiVersion: projectcalico.org/v3, kind: ClusterInformation, metadata: {name: default}, spec: {}}';
    expect((await calicoctl('apply -f -', info)).stderr).toContain(
      'operation create or apply is not supported on ClusterInformation: resource is readonly',
    );
    expect((await calicoctl('apply -n other -f -', policies)).stderr).toContain(
      'metadata.namespace: resource namespace does not match client namespace. shop != other',
    );
    expect((await calicoctl('apply -n other -f -', pool('a', '10.0.0.0/16'))).stderr).toContain(
      'IPPool is not namespaced',
    );
  });

  test('names what overlaps, and counts what was written', async () => {
    const { calicoctl } = setUp();
    const text = `${pool('a', '10.0.0.0/16')}\n---${pool('b', '10.0.1.0/24')}`;
    expect(await calicoctl('apply -f -', text)).toEqual({
      status: 1,
      stdout: "Partial success: applied the first 1 out of 2 'IPPool' resources:\n",
      stderr:
        'hit error: [stdin:15:9: IPPool "b": spec.cidr: "10.0.1.0/24" overlaps with pool "a" (10.0.0.0/16)]\n' +
        '  hint: see the pools with: calicoctl get ippool -o wide\n  not applied: IPPool(b); all others were\n',
    });
  });
});

describe('calicoctl create and replace', () => {
  test('a second create fails, unless it may', async () => {
    const { calicoctl } = setUp();
    await calicoctl('create -f -', pool('a', '10.0.0.0/16'));
    expect(await calicoctl('create -f -', pool('a', '10.0.0.0/16'))).toEqual(
      refused(
        'failed to create \'IPPool\' resource: [resource already exists: IPPool(a) with error: IPPool "a" exists already]\n',
      ),
    );
    expect((await calicoctl('create --skip-exists -f -', pool('a', '10.0.0.0/16'))).status).toBe(0);
  });

  test('a replace needs the object, and its newest revision if one is given', async () => {
    const { calicoctl } = setUp();
    const stale = pool('a', '10.0.0.0/16').replace('name: a', 'name: a\n  resourceVersion: "1"');
    expect(await calicoctl('replace -f -', pool('a', '10.0.0.0/16'))).toEqual({
      status: 1,
      stdout: "Partial success: replaced the first 1 out of 1 'IPPool' resources:\n",
      stderr: 'hit error: resource does not exist: IPPool(a) with error: IPPool "a" does not exist\n',
    });
    await calicoctl('create -f -', pool('a', '10.0.0.0/16'));
    expect((await calicoctl('replace -f -', stale)).stderr).toBe(
      'hit error: update conflict: IPPool(a)\n  hint: get it again, repeat your edit, replace\n',
    );
  });
});

describe('calicoctl delete', () => {
  test('deletes by name and by file', async () => {
    const { calicoctl } = setUp();
    await calicoctl('apply -f -', policies);
    expect(await calicoctl('delete np web -n shop')).toEqual(
      ok("Successfully deleted 1 'NetworkPolicy' resource(s)\n"),
    );
    expect(await calicoctl('delete -s -f -', policies)).toEqual(
      ok("Successfully deleted 1 'NetworkPolicy' resource(s)\n"),
    );
    expect(await calicoctl('delete np web')).toEqual(
      refused(
        'Failed to delete \'NetworkPolicy\' resource: resource does not exist: NetworkPolicy(default/web) with error: NetworkPolicy "default/web" does not exist\n',
      ),
    );
  });
});

describe('calicoctl get', () => {
  test('prints YAML with sorted keys, and a list with its revision', async () => {
    const { calicoctl } = setUp();
    await calicoctl(
      'apply -f -',
      '{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: a}, spec: {order: 1}}',
    );
    const { stdout } = await calicoctl('get tier a -o yaml');
    expect(stdout.replace(/(uid|creationTimestamp|resourceVersion): .*/g, '$1: …')).toBe(
      [
        'apiVersion: projectcalico.org/v3',
        'kind: Tier',
        'metadata:',
        '  creationTimestamp: …',
        '  name: a',
        '  resourceVersion: …',
        '  uid: …',
        'spec:',
        '  defaultAction: Deny',
        '  order: 1',
        '',
      ].join('\n'),
    );
    const list = JSON.parse((await calicoctl('get tier -o json')).stdout) as { kind: string; items: unknown[] };
    expect([list.kind, list.items.length]).toEqual(['TierList', 4]);
    expect((await calicoctl('get tier a --export -o yaml')).stdout).not.toContain('uid');
  });

  test('what get prints can be applied again', async () => {
    const { calicoctl } = setUp();
    await calicoctl('apply -f -', policies);
    const { stdout } = await calicoctl('get np web -n shop -o yaml');
    expect(await calicoctl('apply -f -', stdout)).toEqual(ok("Successfully applied 1 'NetworkPolicy' resource(s)\n"));
  });

  test('prints a table a name, then what is missing', async () => {
    const { calicoctl } = setUp();
    await calicoctl('apply -f -', policies);
    expect(await calicoctl('get tier default nowhere kube-admin')).toEqual({
      status: 1,
      stdout: 'NAME      ORDER\ndefault   1e+06\n\nNAME         ORDER\nkube-admin   1000\n\n',
      stderr: 'resource does not exist: Tier(nowhere) with error: Tier "nowhere" does not exist\n',
    });
  });

  test('shows those with the labels asked for, in the order asked for, with their labels', async () => {
    const { calicoctl } = setUp();
    const set = (name: string, app: string, net: string) =>
      `{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: ${name}, labels: {app: ${app}}}, spec: {nets: [${net}]}}`;
    const sets = [set('a', 'web', '192.0.2.3'), set('b', 'db', '192.0.2.2'), set('c', 'web', '192.0.2.1')];
    await calicoctl('apply -f -', sets.join('\n---\n'));
    expect((await calicoctl('get gnetset -l app=="web" --sort-by .spec.nets[0] --show-labels')).stdout).toBe(
      'NAME   LABELS\nc      app=web\na      app=web\n\n',
    );
    expect((await calicoctl('get gnetset -o go-template={{range\t.items}}{{.Name}},{{end}}')).stdout).toBe('a,b,c,');
    expect((await calicoctl('get gnetset a c -o go-template={{range\t.}}{{.Name}},{{end}}')).stdout).toBe('a,c,');
  });

  test('prints several names as a list, one as it is, JSON without a last end of line', async () => {
    const { calicoctl } = setUp();
    await calicoctl('apply -f -', policies);
    const { stdout } = await calicoctl('get tier default kube-admin -o json');
    expect((JSON.parse(stdout) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-admin',
    ]);
    expect(stdout.endsWith('\n')).toBe(false);
    expect((await calicoctl('get tier default kube-admin -o yml')).stdout).toMatch(
      /^- apiVersion: .*\n {2}kind: Tier\n/,
    );
    expect((await calicoctl('get tier default -o ps')).stdout).toBe('NAME      ORDER\ndefault   1e+06\n\n');
    expect((await calicoctl('get policy -a -o custom-columns=name,namespace')).stdout).toBe(
      'NAME   NAMESPACE\ndb     default\nweb    shop\n\n',
    );
    expect((await calicoctl('get np web -n shop -o json --export')).stdout).not.toContain('shop');
  });

  test('shows a node without AS number under the global one', async () => {
    const { calicoctl } = setUp();
    const node =
      '{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: n1}, spec: {bgp: {ipv4Address: 192.0.2.1/24}}}';
    await calicoctl('apply -f -', node);
    expect((await calicoctl('get nodes -o wide')).stdout).toBe(
      'NAME   ASN       IPV4           IPV6\nn1     (64512)   192.0.2.1/24\n\n',
    );
    expect((await calicoctl('get nodes -o custom-columns=ipv4')).stdout).toBe('IPV4\n192.0.2.1/24\n\n');
  });

  test.each([
    ['get unicorn', "resource type 'unicorn' is not supported\n"],
    ['get pools,nodes', "resource type 'pools,nodes' is not supported\n  hint: give one kind at a time\n"],
    ['delete pool/a', "resource type 'pool/a' is not supported\n  hint: write kind and name apart: pool a\n"],
    [
      'get networkpolicys',
      'resource type \'networkpolicys\' is not supported\n  hint: did you mean "networkpolicy"?\n',
    ],
    ['get np -o xml', 'unrecognized output format \'xml\'\n  hint: did you mean "yml"?\n'],
    [
      'get np -o name',
      "unrecognized output format 'name'\n  hint: write ps, wide, yaml, json, custom-columns=NAME,…, go-template=TEMPLATE or go-template-file=FILE\n",
    ],
    ['get np -o yaml=x', 'unrecognized output format \'yaml=x\'\n  hint: did you mean "yaml"?\n'],
    ['get np -o go-template=', 'need to specify a template\n'],
    ['get np web -l a==b', 'give names or a selector, not both\n'],
    ['get np -l a=b', 'invalid selector "a=b": expected == at character 2\n'],
    ['get tier --sort-by spec.odrer', 'there is no field "odrer" in Tier spec\n  hint: did you mean "order"?\n'],
    ['get tier --sort-by order', 'there is no field "order" in Tier\n  hint: write .spec.order\n'],
    [
      'get np --sort-by spec[',
      '"spec[" is not a path to a field\n  hint: write for example .spec.order or .metadata.labels[\'app.kubernetes.io/name\']\n',
    ],
    ['get np -o custom-columns=', 'need to specify at least one column\n'],
    ['get np -o custom-columns=FOO', 'unknown heading FOO, valid values are: NAMESPACE, NAME, TIER, ORDER, SELECTOR\n'],
    ['get np web -A', 'cannot use --all-namespace flag for getting a single resource\n'],
    ['get np -A -n a', 'cannot use both --namespace and --all-namespaces flags at the same time\n'],
    ['get node -n a', 'Node is not namespaced\n'],
    ['get', 'give KIND, or a file with -f\n'],
  ])('%s is refused', async (line, message) => {
    expect(await setUp().calicoctl(line)).toEqual(refused(message));
  });
});

describe('calicoctl pool', () => {
  test('adds silently, shows, sets flags, removes', async () => {
    const { calicoctl } = setUp();
    expect(await calicoctl('pool add 192.168.0.0/16 fd80:24e2:f998:72d6::/64 --nat-outgoing')).toEqual(ok(''));
    const tunnelled = await calicoctl('pool add 192.168.0.0/16 --ipip --nat-outgoing');
    expect(tunnelled).toMatchObject({ status: 0, stdout: '' });
    expect(tunnelled.stderr).toMatch(/: ipipMode Always is stored, and no tunnel is made yet/);
    expect((await calicoctl('pool show')).stdout).toBe(
      [
        '+----------------+-------------------+',
        '|   IPv4 CIDR    |      Options      |',
        '+----------------+-------------------+',
        '| 192.168.0.0/16 | ipip,nat-outgoing |',
        '+----------------+-------------------+',
        '+--------------------------+--------------+',
        '|        IPv6 CIDR         |   Options    |',
        '+--------------------------+--------------+',
        '| fd80:24e2:f998:72d6::/64 | nat-outgoing |',
        '+--------------------------+--------------+',
        '',
      ].join('\n'),
    );
    expect(await calicoctl('pool remove 192.168.0.0/16')).toEqual(
      ok('Disabling IP Pool\nRemoving IPAM configuration for pool\nDeleted IP Pool\n'),
    );
    expect(await calicoctl('pool remove 192.168.0.0/16')).toEqual(
      refused('192.168.0.0/16 is not a configured pool.\n'),
    );
  });

  test.each([
    ['10.0.0.0/27', 'An IPv4 pool must have a prefix length of 26 or lower.'],
    ['10.0.0.0', 'Invalid CIDR specified 10.0.0.0'],
    ['fd80::/64 --ipip', 'IP in IP not supported for IPv6 pools'],
    ['10.1.0.0/16 10.1.1.0/24', 'Cannot add IP pool 10.1.1.0/24 - pool overlaps with another new pool 10.1.0.0/16'],
    ['172.16.1.0/24', 'Cannot add IP pool 172.16.1.0/24 - pool overlaps with an existing pool 172.16.0.0/16'],
  ])('refuses %s', async (words, message) => {
    const { calicoctl } = setUp();
    await calicoctl('pool add 172.16.0.0/16');
    expect(await calicoctl(`pool add ${words}`)).toEqual(refused(`${message}\nNo pools added.\n`));
  });

  test('takes the place of the default pool', async () => {
    const { calicoctl } = setUp();
    const yaml = pool('default-ipv4-ippool', '192.168.0.0/16').replace(
      'spec:',
      '  annotations: {projectcalico.org/default-pool: "true"}\nspec:',
    );
    await calicoctl('create -f -', yaml);
    const { status, stderr } = await calicoctl('pool add 192.168.0.0/16');
    expect([status, stderr]).toEqual([
      0,
      'default pool "default-ipv4-ippool" (192.168.0.0/16) is now pool "192-168-0-0-16"\n',
    ]);
  });
});

describe('calicoctl ipam show', () => {
  async function withBlocks() {
    const { calicoctl, datastore } = setUp();
    await calicoctl('pool add 192.168.0.0/16 fd80::/64');
    await datastore.create(
      { kind: 'IPAMBlock', name: '192.168.0.0/26' },
      {
        cidr: '192.168.0.0/26',
        allocations: [0, 1, ...Array.from({ length: 62 }, () => null)],
        unallocated: Array.from({ length: 62 }, (_, i) => i + 2),
        attributes: [{ handle_id: 'h', secondary: { pod: 'web', node: 'n1' } }, {}],
      },
    );
    return calicoctl;
  }

  test('shows pools and blocks', async () => {
    const calicoctl = await withBlocks();
    expect((await calicoctl('ipam show --show-blocks')).stdout).toBe(
      [
        '+----------+----------------+------------+------------+--------------+-------------------+',
        '| GROUPING |      CIDR      | IPS TOTAL  | IPS IN USE | IPS RESERVED |     IPS FREE      |',
        '+----------+----------------+------------+------------+--------------+-------------------+',
        '| IP Pool  | 192.168.0.0/16 |      65536 | 2 (0%)     | 0 (0%)       | 65534 (100%)      |',
        '| Block    | 192.168.0.0/26 |         64 | 2 (3%)     | 0 (0%)       | 62 (97%)          |',
        '| IP Pool  | fd80::/64      | 1.8447e+19 | 0 (0%)     | 0 (0%)       | 1.8447e+19 (100%) |',
        '+----------+----------------+------------+------------+--------------+-------------------+',
        '',
      ].join('\n'),
    );
  });

  test('says who holds an address', async () => {
    const calicoctl = await withBlocks();
    expect((await calicoctl('ipam show --ip 192.168.0.0')).stdout).toBe(
      'IP 192.168.0.0 is in use\nHandle ID: h\nActive Owner Attributes:\n  node: n1\n  pod: web\n',
    );
    expect((await calicoctl('ipam show --ip 192.168.0.1')).stdout).toBe(
      'IP 192.168.0.1 is in use\nHandle ID: <none>\nNo Active Owner attributes defined\n',
    );
    expect((await calicoctl('ipam show --ip 192.168.0.2')).stdout).toBe('192.168.0.2 is not assigned\n');
  });
});

describe('calicoctl', () => {
  test('tells its version, and that of the cluster', async () => {
    const { calicoctl } = setUp();
    expect((await calicoctl('version --client')).stdout).toBe(
      'Client Version:    v0.1.0\nGit commit:        unknown\n',
    );
    expect((await calicoctl('version')).stdout).toContain('Unable to detect installed Calico version\n');
    await calicoctl('apply -f -', policies);
    expect((await calicoctl('version')).stdout).toContain('Cluster Version:   unknown\nCluster Type:      unknown\n');
  });

  test('refuses a cluster of another version, unless told otherwise', async () => {
    const { calicoctl, datastore } = setUp();
    await calicoctl('apply -f -', policies);
    const stored = await datastore.get({ kind: 'ClusterInformation', name: 'default' });
    const spec = { ...stored.value.spec, calicoVersion: 'v9.30.1' };
    await datastore.put(stored.key, { ...stored.value, spec });
    const mismatch = [
      'version mismatch.',
      'Client Version:   v0.1.0',
      'Cluster Version:  v9.30.1',
      'Use --allow-version-mismatch to override',
      '',
    ];
    expect(await calicoctl('get node')).toEqual(refused(mismatch.join('\n')));
    expect((await calicoctl('get node --allow-version-mismatch')).status).toBe(0);
  });

  test('says in one line that the datastore is away, and what to do', async () => {
    const away = new MemoryDatastore();
    away.get = () => Promise.reject(new UnavailableError('ERR', 'etcd at http://127.0.0.1:1: connection refused'));
    const { calicoctl } = setUp(away);
    const said =
      'etcd at http://127.0.0.1:1: connection refused\n' +
      '  hint: see that etcd runs there, or set ETCD_ENDPOINTS, or etcdEndpoints in /etc/calico/calicoctl.cfg\n';
    expect(await calicoctl('get node')).toEqual(refused(`failed to get resources: ${said}`));
    expect(await calicoctl('apply -f -', policies)).toEqual(refused(said));
  });

  test.each([
    ['an alias without anchor', 'a: *nope', 'Unresolved alias (the anchor must be set before the alias): nope'],
    ['an alias within itself', 'a: &x [*x]', 'it is nested too deep'],
    ['a list without end', '['.repeat(200_000), 'it is nested too deep'],
    ['fields as deep', `{a: ${'{a: '.repeat(200)}1${'}'.repeat(201)}`, 'it is nested too deep'],
    [
      'aliases that multiply',
      ['a: &a [x,x,x,x,x,x,x,x,x]', ...['ab', 'bc', 'cd', 'de', 'ef', 'fg'].map(multiply)].join('\n'),
      'Excessive alias count indicates a resource exhaustion attack',
    ],
  ])('refuses %s as a file that is no YAML', async (_, text, why) => {
    const { status, stdout, stderr } = await setUp().calicoctl('apply -f -', text);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^stdin:1:\d+: it is not YAML: /);
    expect(stderr.trimEnd().endsWith(why)).toBe(true);
  });

  test('keeps each failure on its line and away from the terminal', async () => {
    const text = String.raw`{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: "a\nb\e[31m"}, spec: {selector: "x == '\n\e[31m"}}`;
    const { status, stderr } = await setUp().calicoctl('apply -f -', text);
    expect(status).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(stderr).not.toContain('\u001b');
  });

  test('does not take both families as neither', async () => {
    expect(await setUp().calicoctl('pool show --ipv4 --ipv6')).toEqual(
      refused('--ipv4 and --ipv6 exclude each other\n  hint: give neither to see all\n'),
    );
  });

  test('asks for a file', async () => {
    expect(await setUp().calicoctl('apply')).toEqual(
      refused('no file given\n  hint: name one with -f FILE, or -f - for standard input\n'),
    );
  });

  test('suggests the command that was meant', async () => {
    const { status, stderr } = await setUp().calicoctl('aply');
    expect([status, stderr]).toEqual([1, "unknown command 'aply'\n  hint: did you mean apply?\n"]);
  });

  test.each([
    ['node frobnicate', "unknown command 'frobnicate'\n  hint: see: calicoctl node --help\n"],
    ['node statsu', 'unknown command \'statsu\'\n  hint: did you mean "status"?\n'],
    ['get --frobnicate', "unknown option '--frobnicate'\n  hint: see: calicoctl get --help\n"],
    ['label gnp', "missing required argument 'name'\n  hint: see: calicoctl label --help\n"],
    [
      'apply pool.yaml',
      "too many arguments for 'apply'. Expected 0 arguments but got 1.\n  hint: see: calicoctl apply --help\n",
    ],
    ['get -o', "option '-o, --output <format>' argument missing\n  hint: see: calicoctl get --help\n"],
    ['help frobnicate', "unknown command 'frobnicate'\n  hint: see: calicoctl --help\n"],
  ])('%s: says where the right words stand', async (words, message) => {
    expect(await setUp().calicoctl(words)).toEqual(refused(message));
  });

  test.each(['help pool remove', 'help pool remove 10.0.0.0/8', 'pool remove --help'])(
    '%s: explains the command and does nothing',
    async (words) => {
      const { status, stdout } = await setUp().calicoctl(words);
      expect([status, stdout.split('\n')[0]]).toEqual([0, 'Usage: calicoctl pool remove [options] <cidrs...>']);
    },
  );

  test.each(['get', 'delete'])('%s takes a kind or a file, and not both', async (verb) => {
    expect(await setUp().calicoctl(`${verb} gnp -f -`, policies)).toEqual(
      refused('give either KIND, or a file with -f: not both\n'),
    );
  });

  test('explains itself', async () => {
    const { status, stdout } = await setUp().calicoctl('--help');
    expect([status, stdout.includes('pool'), stdout.includes('apply')]).toEqual([0, true, true]);
  });
});
