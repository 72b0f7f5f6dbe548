import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_AS_NUMBER } from '../../api/kinds/bgp-configuration.js';
import { parsePeerAddress } from '../../api/kinds/bgp-peer.js';
import { NotFoundError, UnavailableError } from '../../base/errors.js';
import { LocalApiClient } from '../../localapi/client.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { runProgram } from '../programs.js';
import { line, type Result } from '../result.js';
import { readBgpSettings } from './bgp-settings.js';
import { refuseNonRoot, thisNode } from './this-host.js';

const STOP_LIMIT_MS = 20_000;
const STOP_POLL_MS = 100;

/** node show */
export async function showNodes(context: Context): Promise<Result> {
  const client = await context.connectToRead();
  const [nodes, peers, settings] = await Promise.all([
    client.list('Node'),
    client.list('BGPPeer'),
    readBgpSettings(client),
  ]);
  const inherited = settings.asNumber ?? DEFAULT_AS_NUMBER;
  const bare = (text = '') => text.replace(/\/\d+$/, '');
  const rows = nodes.map(({ value: { metadata, spec } }) => {
    const own = peers
      .filter(({ value }) => value.spec.node === metadata.name)
      .map(({ value }) => parsePeerAddress(value.spec.peerIP ?? '')?.address ?? '')
      .filter((address) => address !== '');
    const { ipv4Address, ipv6Address, asNumber } = spec.bgp ?? {};
    return [
      metadata.name,
      bare(ipv4Address),
      bare(ipv6Address),
      asNumber === undefined ? `${inherited} (inherited)` : String(asNumber),
      own.filter((address) => !address.includes(':')).join(', '),
      own.filter((address) => address.includes(':')).join(', '),
    ];
  });
  const headings = ['Hostname', 'Bird IPv4', 'Bird IPv6', 'AS Num', 'BGP Peers v4', 'BGP Peers v6'];
  return { output: [{ type: 'box', headings, rows, align: 'centre' }] };
}

/** The process id of the calico-node of this host; undefined when none answers. */
async function runningNode(): Promise<{ readonly pid: number; readonly node: string } | undefined> {
  try {
    return await new LocalApiClient().status();
  } catch (error) {
    if (error instanceof UnavailableError) return undefined;
    throw error;
  }
}

/** node remove [--hostname=H] [--remove-endpoints] */
export async function removeNode(call: Call, context: Context): Promise<Result> {
  const name = textOption(call, 'hostname') ?? (await thisNode(context));
  if ((await runningNode())?.node === name) {
    return {
      errors: ['The node cannot be removed while it is running.\n  hint: stop it first with: calicoctl node stop'],
    };
  }
  const client = await context.connect();
  const endpoints = (await client.list('WorkloadEndpoint')).filter(({ value }) => value.spec.node === name);
  if (endpoints.length > 0 && !flag(call, 'removeEndpoints')) {
    return { errors: ["The node has active Calico endpoints so can't be deleted. Force with --remove-endpoints"] };
  }
  try {
    await client.delete({ kind: 'Node', name });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { errors: [`Node ${name} does not exist.`] };
  }
  return { output: [line('Node configuration removed')] };
}

/** Whether a process of this host, not one of another process-id namespace, is calico-node. */
async function isCalicoNode(pid: number): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('calico-node');
  } catch {
    // Gone, or of a container.
    return false;
  }
}

/** The systemd unit that a process belongs to; undefined when it is none of systemd's. */
async function unitOf(pid: number): Promise<string | undefined> {
  try {
    return /\/([^/\n]*calico[^/\n]*\.service)/.exec(await readFile(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

/** Ends calico-node however it was started. @returns why it cannot */
async function endNode(pid: number): Promise<string | undefined> {
  if (!(await isCalicoNode(pid))) {
    const { status, stderr } = await runProgram('docker', ['stop', 'calico-node']);
    return status === 0 ? undefined : `docker stop calico-node: ${stderr.trim()}`;
  }
  const unit = await unitOf(pid);
  if (unit !== undefined) {
    const { status, stderr } = await runProgram('systemctl', ['stop', unit]);
    return status === 0 ? undefined : `systemctl stop ${unit}: ${stderr.trim()}`;
  }
  process.kill(pid, 'SIGTERM');
  return undefined;
}

/** node stop [--force] */
export async function stopNode(call: Call, context: Context): Promise<Result> {
  const refusal = refuseNonRoot();
  if (refusal !== undefined) return refusal;
  if (!flag(call, 'force')) {
    const name = await thisNode(context);
    const endpoints = await (await context.connectToRead()).list('WorkloadEndpoint');
    if (endpoints.some(({ value }) => value.spec.node === name)) {
      return { errors: ["Current host has active endpoints so can't be stopped. Force with --force"] };
    }
  }
  return stopRunningNode();
}

/** Ends the calico-node of this host, if one runs, and waits until it is gone; what it put into the kernel stays. */
export async function stopRunningNode(): Promise<Result> {
  const running = await runningNode();
  if (running === undefined) return { output: [line('Node not running')] };
  const failure = await endNode(running.pid);
  if (failure !== undefined) return { errors: [failure] };
  for (const endMs = Date.now() + STOP_LIMIT_MS; Date.now() < endMs; await delay(STOP_POLL_MS)) {
    // It ends some time after its last answer: calls of Docker that are on their way are let end.
    const isThere = (await runningNode()) !== undefined || (await isCalicoNode(running.pid));
    if (!isThere) return { output: [line('Node stopped')] };
  }
  const seconds = STOP_LIMIT_MS / 1_000;
  return {
    errors: [
      `calico-node (pid ${running.pid}) was told to stop and still runs after ${seconds} s\n` +
        '  hint: a call of Docker that is not answered may hold it for half a minute: look again then',
    ],
  };
}
