import { writeFile } from 'node:fs/promises';
import { CalicoError } from '../../base/errors.js';
import { readCluster } from '../../client/readiness.js';
import { type Allocation, type CheckResult, checkIpam, describeHolder, type ProblemType } from '../../ipam/check.js';
import { type IpamSnapshot, readSnapshot } from '../../ipam/check-snapshot.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { buildReport } from './ipam-check-report.js';
import { Progress } from '../progress.js';
import { line, type Result } from '../result.js';

/** So many of the nodes with most addresses are named. */
const TOP_NODES = 20;

/** What is looked for beyond leaks, with the sentence that counts what was found. */
const SCANS: readonly (readonly [string, readonly (readonly [ProblemType, string])[]])[] = [
  [
    'addresses that two have at once',
    [
      ['used-twice', 'IPs that several workloads or nodes use'],
      ['allocated-twice', 'IPs that several blocks allocate'],
    ],
  ],
  [
    'blocks that are damaged or that nobody looks after',
    [
      ['block-damaged', 'damaged blocks'],
      ['blocks-overlap', 'blocks that lie within others'],
      ['block-outside-pools', 'blocks outside all IP pools'],
      ['block-of-missing-node', 'blocks of nodes that are gone'],
    ],
  ],
  [
    'affinities that do not fit their blocks',
    [
      ['affinity-without-block', 'affinities without block'],
      ['block-without-affinity', 'blocks whose owner has no affinity'],
      ['affinity-contradicts', 'affinities to blocks of others'],
      ['affinity-unfinished', 'affinities that somebody left half done'],
    ],
  ],
  ['objects that cannot be read', [['unreadable', 'unreadable objects']]],
];

/** Says what goes on, and names what was found where it was asked for. */
class Narrator {
  readonly #context: Context;
  readonly #result: CheckResult;
  readonly #showsProblems: boolean;

  constructor(context: Context, result: CheckResult, showsProblems: boolean) {
    this.#context = context;
    this.#result = result;
    this.#showsProblems = showsProblems;
  }

  say(text = ''): void {
    this.#context.print(line(text));
  }

  /** `Found 2 blocks outside all IP pools.` */
  found(types: readonly ProblemType[], what: string, more = ''): void {
    const problems = this.#result.problems.filter(({ type }) => types.includes(type));
    if (this.#showsProblems) for (const { text } of problems) this.say(`  ${text}`);
    this.say(`Found ${problems.length} ${what}${more}.`);
  }
}

function tellBlocks(narrator: Narrator, { blocks, pools }: IpamSnapshot, allocations: number): void {
  narrator.say('Loading all IPAM blocks...');
  narrator.say(`Found ${blocks.length} IPAM blocks.`);
  for (const { key, value } of blocks) narrator.say(` IPAM block ${key.name} affinity=${value.affinity ?? '<none>'}:`);
  narrator.say(`IPAM blocks record ${allocations} allocations.`);
  narrator.say();
  narrator.say('Loading all IPAM pools...');
  const active = pools.filter(({ value }) => value.spec.disabled !== true);
  for (const { value } of active) narrator.say(`  ${value.spec.cidr}`);
  narrator.say(`Found ${active.length} active IP pools.`);
  narrator.say();
}

/** Where it is used, or was to be. */
function nodeOf({ attributes, address }: Allocation, uses: CheckResult['uses']): string {
  return attributes['node'] ?? uses.get(address)?.[0]?.node ?? '(no node)';
}

function tellNodes(narrator: Narrator, { allocations, uses }: CheckResult): void {
  const counts = new Map<string, number>();
  for (const allocation of allocations) {
    const node = nodeOf(allocation, uses);
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted(([a, most], [b, least]) => least - most || (a < b ? -1 : 1));
  narrator.say(`Looking for top (up to ${TOP_NODES}) nodes by allocations...`);
  for (const [node, count] of sorted.slice(0, TOP_NODES)) narrator.say(`  ${node} has ${count} allocations`);
  const [most] = sorted;
  const median = sorted[Math.floor(sorted.length / 2)];
  if (most !== undefined && median !== undefined) {
    narrator.say(`Node with most allocations has ${most[1]}; median is ${median[1]}`);
  }
  narrator.say();
}

function tellUses(narrator: Narrator, snapshot: IpamSnapshot, result: CheckResult): void {
  narrator.say('Loading all nodes.');
  narrator.say(`Found ${result.tunnelUses} node tunnel IPs.`);
  narrator.say();
  narrator.say('Loading all service load balancers.');
  const balanced = result.allocations.filter(({ attributes }) => attributes['type'] === 'LoadBalancer');
  narrator.say(`Found ${balanced.length} service load balancer IPs.`);
  narrator.say();
  narrator.say('Loading all workload endpoints.');
  narrator.say(`Found ${result.workloadUses} workload IPs.`);
  narrator.say(`Workloads and nodes are using ${result.uses.size} IPs.`);
  narrator.say();
  narrator.say('Loading all handles');
  narrator.say(`Found ${snapshot.handles.length} handles.`);
  narrator.say();
}

function tellAllAddresses(narrator: Narrator, { allocations, uses }: CheckResult): void {
  for (const allocation of allocations) {
    const users = (uses.get(allocation.address) ?? []).map(({ by }) => by).join(' and ');
    narrator.say(
      `  ${allocation.address} allocated to ${describeHolder(allocation)}; ${users === '' ? 'not in use' : `in use by ${users}`}`,
    );
  }
}

function tellScans(narrator: Narrator, { handles, emptyHandles, outsidePools }: CheckResult): void {
  narrator.say('Scanning for IPs that are allocated but not actually in use...');
  narrator.found(['leaked'], 'IPs that are allocated in IPAM but not actually in use');
  narrator.say('Scanning for IPs that are in use by a workload or node but not allocated in IPAM...');
  narrator.say(`Found ${outsidePools.length} in-use IPs that are not in active IP pools.`);
  narrator.found(['not-allocated'], 'in-use IPs that are in active IP pools but have no corresponding IPAM allocation');
  narrator.say();
  narrator.say('Scanning for IPAM handles with no matching IPs...');
  const more = ` (and ${handles - emptyHandles.length} handles with matches)`;
  narrator.found(['handle-without-addresses'], 'handles with no matching IPs', more);
  narrator.say('Scanning for IPs with missing handle...');
  narrator.found(['handle-missing'], 'handles mentioned in blocks with no matching handle resource');
  for (const [what, counts] of SCANS) {
    narrator.say(`Scanning for ${what}...`);
    for (const [type, found] of counts) narrator.found([type], found);
  }
}

async function writeReport(file: string, report: object): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CalicoError('ERR_CALI_CLI_FILE', `cannot write ${file}: ${why}`, { cause });
  }
}

/** ipam check [-o FILE] [--show-all-ips] [--show-problem-ips] */
export async function checkAddresses(call: Call, context: Context): Promise<Result> {
  const { datastore } = await context.connectToRead();
  context.print(line('Checking IPAM for inconsistencies...'));
  context.print(line(''));
  // Before the snapshot: if the lock changes meanwhile, the report is of a time when it was open.
  const cluster = await readCluster(datastore);
  const progress = new Progress(context, 'objects read');
  const snapshot = await readSnapshot(datastore, (objects) => progress.step(objects)).finally(() => progress.end());
  const result = checkIpam(snapshot);
  const showsAll = flag(call, 'showAllIps');
  const narrator = new Narrator(context, result, showsAll || flag(call, 'showProblemIps'));
  tellBlocks(narrator, snapshot, result.allocations.length);
  tellUses(narrator, snapshot, result);
  tellNodes(narrator, result);
  if (showsAll) tellAllAddresses(narrator, result);
  tellScans(narrator, result);
  const file = textOption(call, 'output');
  if (file !== undefined) await writeReport(file, buildReport(result, cluster));
  return { output: [line(`Check complete; found ${result.problems.length} problems.`)] };
}
