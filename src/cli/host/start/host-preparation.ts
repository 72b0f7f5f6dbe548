import { readFile, writeFile } from 'node:fs/promises';
import { CalicoError } from '../../../base/errors.js';
import type { Context } from '../../command.js';
import { runProgram } from '../../programs.js';

const CONNTRACK_LIMIT = 1_000_000;
const MODULES = ['xt_set', 'ip6_tables'];

function why(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function writeSetting(context: Context, path: string, value: string): Promise<void> {
  try {
    if ((await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
  } catch (error) {
    // The node itself says what it lacks; a container's view of the host is often read-only.
    context.tell(`warning: cannot set ${path} to ${value}: ${why(error)}`);
  }
}

/** Larger is never made smaller. */
async function raiseConntrackLimit(context: Context): Promise<void> {
  const path = '/proc/sys/net/netfilter/nf_conntrack_max';
  try {
    if (Number(await readFile(path, 'utf8')) < CONNTRACK_LIMIT) await writeFile(path, String(CONNTRACK_LIMIT));
  } catch (error) {
    // Only the host's own network namespace may set it, and only where the module is loaded.
    context.tell(`warning: cannot raise the limit of tracked connections: ${why(error)}`);
  }
}

async function loadModules(): Promise<void> {
  try {
    await runProgram('modprobe', ['-a', ...MODULES]);
  } catch (error) {
    // For the agents of others; this one asks for what it needs by itself.
    if (!(error instanceof CalicoError)) throw error;
  }
}

/** Readies the host as everybody's `node run` does; not from within a container. Failures are told, none is fatal. */
export async function prepareHost(context: Context): Promise<void> {
  if ((context.environment['CALICO_CTL_CONTAINER'] ?? '') !== '') return;
  await loadModules();
  await writeSetting(context, '/proc/sys/net/ipv4/ip_forward', '1');
  await writeSetting(context, '/proc/sys/net/ipv6/conf/all/forwarding', '1');
  await raiseConntrackLimit(context);
}
