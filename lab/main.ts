import { spawnSync } from 'node:child_process';
import { CalicoError, formatError } from '../src/base/errors.js';
import type { LabHost } from './host.js';
import { Lab } from './lab.js';
import { isAlive, labEnvironment } from './processes.js';
import { listLabs, readRecord, removeLab, sweepDeadLabs } from './state.js';
import { topologies } from './topology.js';

const usage = `usage: lab [--name NAME] COMMAND
  up [TOPOLOGY]                     bring hosts up (${Object.keys(topologies).join(', ')}); they stay until "lab down"
  down                              remove everything, also what a killed "lab up" left
  status                            what is up
  exec HOST COMMAND [ARGUMENT…]     run a command in a host
  shell HOST                        a shell in a host (brings the lab up when it is down)
  workload add NAME --host HOST --address ADDRESS [--address ADDRESS]
  workload remove NAME
  workload exec NAME COMMAND [ARGUMENT…]
  can FROM TO [tcp:PORT|udp:PORT|icmp] [4|6]   whether a workload reaches another
`;

/** A mistake in how the command was called. */
function misuse(what: string): CalicoError {
  return new CalicoError('ERR_CALI_LAB_USAGE', what, { hint: 'see: lab --help' });
}

async function opened<T>(name: string, use: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.open(name);
  try {
    return await use(lab);
  } finally {
    lab.release();
  }
}

async function up(name: string, [topologyName = 'two-subnets']: readonly string[]): Promise<number> {
  const topology = topologies[topologyName];
  if (topology === undefined) {
    throw misuse(`there is no topology "${topologyName}"; there are: ${Object.keys(topologies).join(', ')}`);
  }
  const record = readRecord(name);
  if (record !== undefined && !Object.values(record.inits).every(isAlive)) await removeLab(name);
  const lab = await Lab.start(topology(), { name, stay: true });
  printStatus(lab);
  lab.release();
  return 0;
}

function printStatus(lab: Lab): void {
  console.log(`lab "${lab.name}" (${lab.topology.name})${lab.topology.etcd ? `, etcd at ${lab.etcdEndpoint}` : ''}`);
  for (const host of lab.hosts) {
    console.log(
      `  ${host.name.padEnd(12)} ${host.addresses.ipv4.padEnd(16)} ${host.addresses.ipv6.padEnd(20)} pid ${host.init.pid}`,
    );
    for (const workload of lab.workloads.filter((candidate) => candidate.host === host)) {
      console.log(`    ${workload.name.padEnd(10)} ${workload.addresses.join(' ')} on ${workload.hostInterface}`);
    }
  }
}

async function status(name: string): Promise<number> {
  await sweepDeadLabs();
  if (!listLabs().includes(name)) console.log(`lab "${name}" is not up`);
  else await opened(name, (lab) => Promise.resolve(printStatus(lab)));
  for (const other of listLabs().filter((candidate) => candidate !== name)) console.log(`also up: ${other}`);
  return 0;
}

/** Runs a command with our own terminal; its exit status is ours. */
function attached(command: readonly string[], { environment }: LabHost): number {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, { stdio: 'inherit', env: labEnvironment(environment) });
  if (result.error !== undefined) throw result.error;
  return result.status ?? 1;
}

function exec(name: string, [host, ...command]: readonly string[]): Promise<number> {
  if (host === undefined || command.length === 0) throw misuse('exec needs a host and a command');
  return opened(name, (lab) => Promise.resolve(attached(lab.host(host).command(command), lab.host(host))));
}

async function shell(name: string, [host = 'calico-01']: readonly string[]): Promise<number> {
  await sweepDeadLabs();
  if (readRecord(name) === undefined) await up(name, []);
  return exec(name, [host, process.env['SHELL'] ?? 'bash']);
}

function optionsOf(args: readonly string[]): { host?: string; addresses: string[] } {
  const options: { host?: string; addresses: string[] } = { addresses: [] };
  for (let index = 0; index < args.length; index += 2) {
    const value = args[index + 1];
    if (value === undefined) throw misuse(`"${args[index] ?? ''}" needs a value`);
    if (args[index] === '--host') options.host = value;
    else if (args[index] === '--address') options.addresses.push(value);
    else throw misuse(`unknown option "${args[index] ?? ''}"`);
  }
  return options;
}

function workload(name: string, [verb, workloadName, ...rest]: readonly string[]): Promise<number> {
  if (workloadName === undefined) throw misuse('workload needs add, remove or exec, and a name');
  return opened(name, async (lab) => {
    switch (verb) {
      case 'add': {
        const { host, addresses } = optionsOf(rest);
        if (host === undefined || addresses.length === 0) throw misuse('workload add needs --host and --address');
        const added = await lab.addWorkload(host, workloadName, { addresses });
        console.log(`${added.name} on ${host}: ${added.addresses.join(' ')} at ${added.hostInterface}`);
        return 0;
      }
      case 'remove':
        await lab.removeWorkload(workloadName);
        return 0;
      case 'exec':
        if (rest.length === 0) throw misuse('workload exec needs a command');
        return attached(lab.workload(workloadName).command(rest), lab.workload(workloadName).host);
      default:
        throw misuse(`workload has no verb "${verb ?? ''}"`);
    }
  });
}

function can(name: string, [from, to, what = 'icmp', family = '4']: readonly string[]): Promise<number> {
  if (from === undefined || to === undefined) throw misuse('can needs two workloads');
  const [protocol, port] = what.split(':');
  const probe =
    protocol === 'tcp' ? { tcp: Number(port) } : protocol === 'udp' ? { udp: Number(port) } : ({ icmp: true } as const);
  return opened(name, async (lab) => {
    const reaches = await lab.workload(from).can(lab.workload(to), probe, { family: family === '6' ? 6 : 4 });
    console.log(reaches ? 'yes' : 'no');
    return reaches ? 0 : 1;
  });
}

async function main(args: readonly string[]): Promise<number> {
  let name = 'default';
  let rest = args;
  if (rest[0] === '--name') {
    name = rest[1] ?? '';
    rest = rest.slice(2);
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
      throw misuse(`"${name}" is not a lab's name: lower-case letters, digits, hyphens`);
  }
  const [command, ...parameters] = rest;
  switch (command) {
    case 'up':
      return up(name, parameters);
    case 'down':
      await removeLab(name);
      await sweepDeadLabs();
      return 0;
    case 'status':
      return status(name);
    case 'exec':
      return exec(name, parameters);
    case 'shell':
      return shell(name, parameters);
    case 'workload':
      return workload(name, parameters);
    case 'can':
      return can(name, parameters);
    default:
      process[command === '--help' ? 'stdout' : 'stderr'].write(usage);
      return command === '--help' ? 0 : 2;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`lab: ${formatError(error)}`);
  process.exitCode = 1;
}
