import type { GlobalNetworkPolicy } from '../src/api/kinds/global-network-policy.js';
import type { LabCluster } from './cluster.js';
import { formatMatrix, groupsMatrix, matrixDifferences, measureMatrix } from './matrix.js';
import type { Matrix } from './matrix.js';
import { until } from './processes.js';
import type { Story } from './story.js';
import type { LabWorkload } from './workload.js';

type Rule = NonNullable<GlobalNetworkPolicy['spec']['ingress']>[number];

/** What most chapters of the demo need. */
export interface Scene {
  readonly cluster: LabCluster;
  readonly story: Story;
}

const ipv6Pool = 'fd80:24e2:f998:72d6::/64';

export const [firstHost, secondHost] = ['calico-01', 'calico-02'];

/** Runs `calicoctl` on the first host and shows it. */
export async function calicoctl({ cluster, story }: Scene, args: readonly string[], input?: string): Promise<string> {
  const output = await cluster.calicoctl(firstHost, args, input);
  story.typed(firstHost, `calicoctl ${args.join(' ')}`, input === undefined ? output : `${input.trimEnd()}\n${output}`);
  return output;
}

/** A network as people write it: a profile that lets in what has the profile itself. */
export const networkYaml = (name: string): string => `---
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: ${name}}
spec:
  labelsToApply: {${name}: ""}
  ingress:
  - {action: Allow, source: {selector: has(${name})}}
  egress:
  - {action: Allow}
`;

/** Pools, networks, workloads. */
export async function declareNetworks(scene: Scene): Promise<void> {
  scene.story.chapter('Pools and networks, declared once, on either host');
  await calicoctl(scene, ['pool', 'add', '192.168.0.0/16']);
  await calicoctl(scene, ['pool', 'add', ipv6Pool]);
  await calicoctl(scene, ['pool', 'show']);
  await calicoctl(scene, ['apply', '-f', '-'], ['net1', 'net2', 'net3'].map(networkYaml).join(''));
}

const plan: readonly (readonly [name: string, host: string, network: string])[] = [
  ['A', firstHost, 'net1'],
  ['B', firstHost, 'net2'],
  ['C', firstHost, 'net1'],
  ['D', secondHost, 'net3'],
  ['E', secondHost, 'net1'],
];

export const netOneAlone: Matrix = groupsMatrix(
  plan.map(([name]) => name),
  [['A', 'C', 'E'], ['B'], ['D']],
);

export async function addWorkloads({ cluster, story }: Scene): Promise<void> {
  story.chapter('Five workloads in three networks, on two hosts');
  const workloads = await Promise.all(
    plan.map(([name, host, network]) =>
      cluster.addWorkload(host, name, { profiles: [network], pools: ['192.168.0.0/16', ipv6Pool] }),
    ),
  );
  for (const [index, [name, host, network]] of plan.entries()) {
    story.say(`  ${name} on ${host} in ${network}: ${workloads[index]?.addresses.join(', ') ?? ''}`);
  }
}

/** Prints who reaches whom, both families, and expects exactly that. */
export async function expectMatrix({ cluster, story }: Scene, wanted: Matrix, what: string): Promise<void> {
  const workloads = cluster.lab.workloads.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const family of [4, 6] as const) {
    const measure = (): Promise<Matrix> => measureMatrix(workloads, { tcp: 80 }, family);
    let seen = await measure();
    // Routes between hosts take a moment to travel when they are new.
    const deadline = performance.now() + 10_000;
    while (matrixDifferences(seen, wanted).length > 0 && performance.now() < deadline) seen = await measure();
    story.quote(formatMatrix(seen, `IPv${family}, TCP 80`));
    story.expect(
      `IPv${family}: ${what}`,
      matrixDifferences(seen, wanted).length === 0,
      matrixDifferences(seen, wanted).join(', '),
    );
  }
}

export async function showRoutes({ cluster, story }: Scene): Promise<void> {
  story.chapter('How the packets find their way: blocks, carried by BIRD');
  for (const [host, other] of [
    [firstHost, secondHost],
    [secondHost, firstHost],
  ] as const) {
    for (const family of ['-4', '-6']) {
      const { stdout } = await cluster.lab.host(host).exec(['ip', family, 'route', 'show', 'proto', 'bird']);
      story.typed(host, `ip ${family} route show proto bird`, stdout);
      const { ipv4, ipv6 } = cluster.lab.host(other).addresses;
      story.expect(
        `BIRD brought the way to a block of ${other}`,
        stdout.includes(`via ${family === '-4' ? ipv4 : ipv6}`),
      );
    }
  }
  const blocks = await calicoctl({ cluster, story }, ['ipam', 'show', '--show-blocks']);
  story.expect('the blocks are in the pools', /192\.168\.\d+\.\d+\/26/.test(blocks));
}

const guestsYaml = `apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: guests}
spec:
  selector: has(net1)
  types: [Ingress]
  ingress:
  - {action: Allow, source: {selector: has(net1)}}
`;

/** A rule added to a policy opens TCP 80 from net2 to net1, and is taken away again. */
export async function editPolicy(scene: Scene): Promise<void> {
  const { cluster, story } = scene;
  story.chapter('A rule lets net2 into net1, on TCP 80 only; then it goes again');
  await calicoctl(scene, ['apply', '-f', '-'], guestsYaml);
  const [a, b] = [cluster.lab.workload('A'), cluster.lab.workload('B')];
  await a.listen({ tcp: [80, 81] });
  story.expect('B does not reach A', !(await b.can(a, { tcp: 80 })) && !(await b.can(a, { tcp: 80 }, { family: 6 })));
  const waiting = b.firstThrough(a, 80, { timeoutMs: 10_000 });
  const sent = await editGuests(cluster, [
    { action: 'Allow', protocol: 'TCP', source: { selector: 'has(net2)' }, destination: { ports: [80] } },
  ]);
  const openMs = (await waiting) - sent;
  story.say(
    `  first packet let through ${openMs.toFixed(1)} ms after the edit was sent to the store (tried every millisecond)`,
  );
  const open = await Promise.all([b.can(a, { tcp: 80 }), b.can(a, { tcp: 80 }, { family: 6 })]);
  story.expect('B reaches A on TCP 80, in both families', open.every(Boolean));
  story.expect('and not on TCP 81', !(await b.can(a, { tcp: 81 })));
  const withdrawn = await editGuests(cluster, []);
  const closeMs = (await lastThrough(a, b)) - withdrawn;
  story.say(
    `  rule taken away; last connection let through ${Math.max(0, closeMs).toFixed(1)} ms after that edit was sent`,
  );
  const after = await Promise.all([b.can(a, { tcp: 80 }), b.can(a, { tcp: 80 }, { family: 6 })]);
  story.expect('B no longer reaches A', !after.some(Boolean));
}

const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Gives the policy these rules beyond its own; @returns when the edit was sent to the store */
async function editGuests(cluster: LabCluster, rules: readonly Rule[]): Promise<number> {
  const key = { kind: 'GlobalNetworkPolicy', name: 'guests' } as const;
  const { value, revision } = await cluster.datastore.get(key);
  const own = (value.spec.ingress ?? []).slice(0, 1);
  const sent = monotonicMs();
  await cluster.datastore.update(key, { ...value, spec: { ...value.spec, ingress: [...own, ...rules] } }, revision);
  return sent;
}

/** When the last connection of B that A still let in was begun. */
async function lastThrough(a: LabWorkload, b: LabWorkload): Promise<number> {
  let last = 0;
  await until(
    'B shut out',
    async () => {
      const asked = monotonicMs();
      const through = await b.can(a, { tcp: 80 }, { timeoutMs: 100 });
      if (through) last = asked;
      return !through;
    },
    { everyMs: 0 },
  );
  return last;
}
