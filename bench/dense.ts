import { systemClock } from '../src/base/clock.js';
import { endpointPlan, policyPlan, rulePlan } from '../src/dataplane/host-plan.fake.js';
import { RulesetProgram } from '../src/dataplane/ruleset-program.js';
import { DEFAULT_SETTINGS } from '../src/dataplane/settings.js';
import { KernelNftables } from '../src/nftables/kernel.js';
import type { EndpointPlan, HostPolicy, PolicyPlan, RulePlan } from '../src/plan/host-plan.js';
import { NetworkNamespace } from '../src/sys/namespace.js';
import { line, median, ms, quantile, timed } from './figures/figures.js';

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
/** Of every four rules one has a list of ports, one a list of prefixes, one a single port, one a prefix. */
function denseRule(policy: number, index: number, edition: number): RulePlan {
  const nth = (policy * 7 + index * 13) % LISTS;
  const port = { first: 1_000 + nth + edition, last: 1_000 + nth + edition };
  const ports = index % 4 === 0 ? [port, { first: 9_000, last: 9_010 }] : [port];
  const nets = index % 2 === 0 ? [] : [`10.${nth}.0.0/16`, ...(index % 4 === 1 ? ['192.0.2.0/24'] : [])];
  return rulePlan({ families: [4], protocol: 6, source: { nets }, destination: { ports } });
}

/** In its later editions the ports of one rule are others. */
function densePolicy(policy: number, edition = 0): PolicyPlan {
  const ingress = Array.from({ length: RULES }, (_, i) => denseRule(policy, i, i === 8 ? edition : 0));
  return policyPlan(`np dense/${policy}`, { ingress });
}

function denseEndpoint(endpoint: number): EndpointPlan {
  const first = endpoint * Math.floor(POLICIES / ENDPOINTS);
  const ingress = Array.from({ length: POLICIES_PER_ENDPOINT }, (_, i) => `np dense/${(first + i) % POLICIES}`);
  return endpointPlan(`dense/${endpoint}`, {
    addresses: [`192.168.0.${endpoint}/32`],
    tiers: [{ name: 'default', ingress, egress: [], defaultAction: 'deny' }],
  });
}

using namespace = NetworkNamespace.create();
using kernel = KernelNftables.open({ namespace });
const policies = new Map(Array.from({ length: POLICIES }, (_, i) => [`np dense/${i}`, densePolicy(i)]));
const endpoints = new Map(Array.from({ length: ENDPOINTS }, (_, i) => [`dense/${i}`, denseEndpoint(i)]));
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
  const edited = densePolicy((i * 37) % POLICIES, 1 + i);
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
const p50 = median(times);
line('dataplane policy edit dense', `${ms(p50)} (p99 ${ms(quantile(times, 0.99))})`, '10 ms', p50 / 10);
