import { performance } from 'node:perf_hooks';
import { systemClock } from '../src/base/clock.js';
import { RulesetProgram } from '../src/dataplane/ruleset-program.js';
import { DEFAULT_SETTINGS } from '../src/dataplane/settings.js';
import { KernelNftables } from '../src/nftables/kernel.js';
import type { EndpointPlan, HostPolicy, MatchPlan, PolicyPlan, RulePlan } from '../src/plan/host-plan.js';
import { NetworkNamespace } from '../src/sys/namespace.js';

/**
 * A dense host: 250 workloads, each selected by 60 of 1,000 policies of 20 rules, half of them with lists of ports or prefixes. From the
 * plan to the kernel's rules, in a namespace of its own. Beside a start and an edit stands what is promised for all of the way.
 */

const ENDPOINTS = 250;
const POLICIES = 1_000;
const POLICIES_PER_ENDPOINT = 60;
const RULES = 20;
/** How many different lists of each kind people write. */
const LISTS = 60;
const EDITS = process.env['SHORT'] === '1' ? 100 : 500;

const NAT = { masqueradedPools: [], allPools: [] };
const ANYTHING: MatchPlan = {
  nets: [],
  notNets: [],
  sets: [],
  notSets: [],
  ports: [],
  notPorts: [],
  portSets: [],
  notPortSets: [],
};

/** Of every four rules one has a list of ports, one a list of prefixes, one a single port, one a prefix. */
function rulePlan(policy: number, index: number, edition: number): RulePlan {
  const nth = (policy * 7 + index * 13) % LISTS;
  const port = { first: 1_000 + nth + edition, last: 1_000 + nth + edition };
  const source: MatchPlan = index % 4 === 1 ? { ...ANYTHING, nets: [`10.${nth}.0.0/16`, '192.0.2.0/24'] } : ANYTHING;
  const ports = index % 4 === 0 ? [port, { first: 9_000, last: 9_010 }] : [port];
  return {
    action: 'allow',
    families: [4],
    index,
    protocol: 6,
    source: index % 4 === 3 ? { ...ANYTHING, nets: [`10.${nth}.0.0/16`] } : source,
    destination: { ...ANYTHING, ports },
  };
}

/** In its later editions the ports of one rule are others. */
function policyPlan(policy: number, edition = 0): PolicyPlan {
  const ingress = Array.from({ length: RULES }, (_, i) => rulePlan(policy, i, i === 8 ? edition : 0));
  return { id: `np dense/${policy}`, ingress, egress: [] };
}

function endpointPlan(endpoint: number): EndpointPlan {
  const first = endpoint * Math.floor(POLICIES / ENDPOINTS);
  const ingress = Array.from({ length: POLICIES_PER_ENDPOINT }, (_, i) => `np dense/${(first + i) % POLICIES}`);
  return {
    id: `dense/${endpoint}`,
    interfaceName: `cali${endpoint}`,
    addresses: [`192.168.0.${endpoint}/32`],
    tiers: [{ name: 'default', ingress, egress: [], defaultAction: 'deny' }],
    profiles: [],
  };
}

function line(name: string, ours: string, theirs: string, ratio: number): void {
  console.log([name, ours, theirs, ratio.toPrecision(3)].join('  '));
}

const ms = (value: number): string => `${value.toPrecision(3)} ms`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

using namespace = NetworkNamespace.create();
using kernel = KernelNftables.open({ namespace });
const policies = new Map(Array.from({ length: POLICIES }, (_, i) => [`np dense/${i}`, policyPlan(i)]));
const endpoints = new Map(Array.from({ length: ENDPOINTS }, (_, i) => [`dense/${i}`, endpointPlan(i)]));
const policy: HostPolicy = { ipSets: new Map(), policies, endpoints };
const program = new RulesetProgram(kernel, DEFAULT_SETTINGS, systemClock);

const start = await timed(() => program.apply({ policy, nat: NAT }));
line('dataplane start dense', ms(start), '2000 ms', start / 2_000);
let writes = 0;
const restart = await timed(async () => {
  writes = await new RulesetProgram(kernel, DEFAULT_SETTINGS, systemClock).apply({ policy, nat: NAT });
});
if (writes > 0) throw new Error(`a restart with nothing changed wrote ${writes} times`);
const read = await timed(() => kernel.readTable({ family: 'inet', name: 'calico' }));
line('dataplane restart dense', ms(restart), `${ms(read)} (reading the table)`, restart / read);

const times: number[] = [];
for (let i = 0; i < EDITS; i += 1) {
  const edited = policyPlan((i * 37) % POLICIES, 1 + i);
  policies.set(edited.id, edited);
  const none = { set: new Map<string, never>(), removed: new Set<string>() };
  const delta = {
    ipSets: none,
    members: new Map<string, never>(),
    policies: { set: new Map([[edited.id, edited]]), removed: new Set<string>() },
    endpoints: none,
  };
  times.push(await timed(() => program.apply({ policy, nat: NAT }, { policy: delta })));
}
const p50 = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
line('dataplane policy edit dense', `${ms(p50)} (p99 ${ms(p99)})`, '10 ms', p50 / 10);
