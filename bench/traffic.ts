import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endpointPlan, hostPolicy, policyPlan, rulePlan } from '../src/dataplane/host-plan.fake.js';
import { KernelNftables } from '../src/nftables/kernel.js';
import { ctState } from '../src/nftables/match.js';
import { baseChain, table } from '../src/nftables/objects.js';
import { rule } from '../src/nftables/rule.js';
import { accept } from '../src/nftables/statements.js';
import { Transaction } from '../src/nftables/transaction.js';
import type { HostPolicy, RulePlan } from '../src/plan/host-plan.js';
import type { NetworkNamespace } from '../src/sys/namespace.js';
import { TestHost, type TestWorkload } from '../test/system/dataplane/test-host.js';
import { line, median } from './figures/figures.js';

/**
 * What policy costs packets: two workloads of one host, over veth pairs, routed by it. The same traffic by turns
 *
 *     off        no rules of ours: the host only forwards; connection tracking is not even loaded there
 *     tracking   one rule that asks for the state of connections: what any stateful firewall costs
 *     policy     all our chains; the receiver has a policy of one rule, both have profiles
 *     1,000      the policy has a thousand rules, of which the last allows
 *
 * and of each round the ratio; printed is the median of the ratios. The first packet of a connection meets the rules, the others do not.
 */

const run = promisify(execFile);
const CONNECTIONS = fileURLToPath(new URL('traffic/connections.js', import.meta.url));
const RECEIVER = '192.168.0.2';
const PORT = 5_300;
const RULES = 1_000;
const isShort = process.env['SHORT'] === '1';
const ROUNDS = isShort ? 5 : 11;
/** iperf3 takes whole seconds only. */
const ROUND_MS = 1_000;

type Mode = 'off' | 'tracking' | 'policy' | '1,000';
const MODES: readonly Mode[] = ['off', 'tracking', 'policy', '1,000'];

const lastRule = rulePlan({ protocol: 6, destination: { ports: [{ first: PORT, last: PORT + 1 }] } });

/** Networks the sender is not in, each with a port of its own: rules of which none is like another. */
function otherRules(): readonly RulePlan[] {
  return Array.from({ length: RULES - 1 }, (_, i) =>
    rulePlan({
      protocol: 6,
      families: [4],
      source: { nets: [`10.${i >> 8}.${i & 255}.0/24`] },
      destination: { ports: [{ first: 1_000 + i, last: 1_000 + i }] },
    }),
  );
}

function plan(rules: readonly RulePlan[]): HostPolicy {
  const everything = [rulePlan()];
  return hostPolicy({
    policies: [
      policyPlan('np shop/web', { ingress: rules }),
      policyPlan('pro p', { ingress: everything, egress: everything }),
    ],
    endpoints: [
      endpointPlan('shop/sender', { addresses: ['192.168.0.1/32'], profiles: ['pro p'] }),
      endpointPlan('shop/web', {
        addresses: [`${RECEIVER}/32`],
        tiers: [{ name: 'default', ingress: ['np shop/web'], egress: [], defaultAction: 'deny' }],
        profiles: ['pro p'],
      }),
    ],
  });
}

function spawnIn(namespace: NetworkNamespace, command: string, words: readonly string[]): ChildProcess {
  return namespace.run(() => spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] }));
}

function outputIn(namespace: NetworkNamespace, command: string, words: readonly string[]): Promise<string> {
  return namespace.run(() => ({ ended: run(command, [...words]) })).ended.then(({ stdout }) => stdout);
}

class Rig {
  readonly #host: TestHost;
  readonly #sender: TestWorkload;
  readonly #servers: readonly ChildProcess[];

  private constructor(host: TestHost, sender: TestWorkload, servers: readonly ChildProcess[]) {
    this.#host = host;
    this.#sender = sender;
    this.#servers = servers;
  }

  static async make(): Promise<Rig> {
    const host = await TestHost.make();
    host.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const sender = await host.workload('sender', ['192.168.0.1']);
    const { namespace } = await host.workload('web', [RECEIVER]);
    const servers = [
      spawnIn(namespace, process.execPath, [CONNECTIONS, 'serve', RECEIVER, String(PORT)]),
      spawnIn(namespace, 'iperf3', ['--server', '--bind', RECEIVER, '--port', String(PORT + 1), '--forceflush']),
    ];
    for (const { stdout } of servers) {
      if (stdout !== null) await once(stdout, 'data');
      stdout?.resume();
    }
    const rig = new Rig(host, sender, servers);
    // Interfaces are set up once: that is no part of what is compared.
    await rig.enter('policy');
    return rig;
  }

  async enter(mode: Mode): Promise<void> {
    await this.#host.closeDataplane();
    this.#host.run('nft', 'flush', 'ruleset');
    await this.#host.forgetFlows('192.168.0.1', RECEIVER);
    if (mode === 'tracking') return this.#track();
    if (mode === 'off') return undefined;
    await this.#host.dataplane();
    await this.#host.apply(plan(mode === 'policy' ? [lastRule] : [...otherRules(), lastRule]));
    return undefined;
  }

  async #track(): Promise<void> {
    using kernel = KernelNftables.open({ namespace: this.#host.namespace });
    const tracking = table('inet', 'tracking');
    const forward = baseChain(tracking, 'forward', { type: 'filter', hook: 'forward', priority: 0 });
    const known = rule(forward, [ctState(['established', 'related']), accept]);
    await new Transaction(kernel).add(tracking).add(forward).add(known).commit();
  }

  /** Connections a second. */
  async connections(): Promise<number> {
    const words = [CONNECTIONS, 'connect', RECEIVER, String(PORT), String(ROUND_MS)];
    return Number(await outputIn(this.#sender.namespace, process.execPath, words));
  }

  /** Gigabits a second through one connection. */
  async throughput(): Promise<number> {
    const time = String(ROUND_MS / 1_000);
    const words = ['--client', RECEIVER, '--port', String(PORT + 1), '--time', time, '--json'];
    const report: unknown = JSON.parse(await outputIn(this.#sender.namespace, 'iperf3', words));
    const { end } = report as { readonly end: { readonly sum_received: { readonly bits_per_second: number } } };
    return end.sum_received.bits_per_second / 1e9;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.kill('SIGKILL');
    await this.#host.close();
  }
}

type Round = Readonly<Record<Mode, number>>;

function compare(name: string, rounds: readonly Round[], [ours, theirs]: readonly [Mode, Mode]): void {
  const shown = (mode: Mode): string =>
    `${median(rounds.map((round) => round[mode])).toLocaleString('en', { maximumSignificantDigits: 3 })} (${mode})`;
  const ratio = median(rounds.map((round) => round[ours] / round[theirs]));
  line(name, shown(ours), shown(theirs), ratio);
}

async function measure(rig: Rig, what: 'throughput' | 'connections'): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    const round: Record<Mode, number> = { off: 0, tracking: 0, policy: 0, '1,000': 0 };
    // Forwards and backwards in turn: what grows busier in the course of a round meets none more than another.
    for (const mode of i % 2 === 0 ? MODES : MODES.toReversed()) {
      await rig.enter(mode);
      round[mode] = await rig[what]();
    }
    rounds.push(round);
  }
  return rounds;
}

const rig = await Rig.make();
try {
  for (const what of ['throughput', 'connections'] as const) {
    const rounds = await measure(rig, what);
    const name = what === 'throughput' ? 'traffic Gbit/s' : 'traffic connections/s';
    compare(`${name}, policy to off`, rounds, ['policy', 'off']);
    compare(`${name}, policy to tracking`, rounds, ['policy', 'tracking']);
    compare(`${name}, 1,000 rules to 1`, rounds, ['1,000', 'policy']);
  }
} finally {
  await rig.close();
}
