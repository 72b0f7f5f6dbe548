import { CalicoError, formatError } from '../../base/errors.js';
import { LocalApiClient } from '../../localapi/client.js';
import type { Context } from '../command.js';
import { DiagsFolder, timestamp } from './diags-folder.js';
import {
  API_ITEMS,
  CONTAINER_ITEMS,
  CRICTL_FIND,
  crictlItem,
  type DiagnosticItem,
  HOST_ITEMS,
  SETTINGS_FILES,
} from './diags-items.js';
import { findAgent, type HostProcess, listProcesses } from './host-processes.js';
import { runProgram } from '../programs.js';
import { Progress } from '../progress.js';
import { line, type Result } from '../result.js';

export const DEFAULT_LOG_FOLDER = '/var/log/calico';
/** The agent that has its heap written; ours has no such signal, Node.js would open a debugger's port. */
const HEAP_SIGNAL = 'SIGUSR1';

async function isInstalled(program: string): Promise<boolean> {
  try {
    await runProgram(program, ['--version']);
    return true;
  } catch (error) {
    if (error instanceof CalicoError) return false;
    throw error;
  }
}

async function keepItem(folder: DiagsFolder, entry: DiagnosticItem, signal: AbortSignal): Promise<void> {
  const isDone = await folder.run(entry.file, entry.command, signal);
  if (!isDone && entry.otherwise !== undefined) await folder.run(entry.file, entry.otherwise, signal);
}

/** Logs of the node's container, of whichever engines this host has. */
async function containerItems(): Promise<readonly DiagnosticItem[]> {
  const items: DiagnosticItem[] = [];
  for (const entry of CONTAINER_ITEMS) if (await isInstalled(entry.command[0])) items.push(entry);
  const [crictl, ...words] = CRICTL_FIND;
  if (!(await isInstalled(crictl))) return items;
  const { stdout } = await runProgram(crictl, words);
  const ids = stdout.split('\n').filter((id) => /^[0-9a-f]+$/.test(id));
  return [...items, ...ids.map(crictlItem)];
}

async function keepApi(folder: DiagsFolder): Promise<void> {
  const client = new LocalApiClient();
  for (const { file, ask } of API_ITEMS) {
    try {
      await folder.write(file, `${JSON.stringify(await client[ask](), undefined, 2)}\n`);
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      await folder.write(file, `${formatError(error)}\n`);
    }
  }
}

/** Whether it is an agent of another make, which writes its heap when told so. */
function writesHeap({ words }: HostProcess): boolean {
  const [program = ''] = words;
  return program.endsWith('calico-felix') || (program.endsWith('calico-node') && words.includes('-felix'));
}

function askForHeap(agent: HostProcess | undefined): void {
  if (agent === undefined || !writesHeap(agent)) return;
  try {
    process.kill(agent.pid, HEAP_SIGNAL);
  } catch {
    // It ended since: there is no heap to write.
  }
}

async function keepSettings(folder: DiagsFolder): Promise<void> {
  for (const path of SETTINGS_FILES) await folder.copyFile(`settings${path}`, path);
}

async function collect(folder: DiagsFolder, context: Context, logFolder: string): Promise<void> {
  askForHeap(findAgent(await listProcesses()));
  const items = [...HOST_ITEMS, ...(await containerItems())];
  const progress = new Progress(context, 'diagnostics collected', items.length);
  try {
    for (const entry of items) {
      await keepItem(folder, entry, context.signal);
      progress.step();
    }
  } finally {
    progress.end();
  }
  await keepApi(folder);
  await keepSettings(folder);
  const logs = await folder.copyFolder('logs', logFolder);
  if (logs === undefined) context.tell(`no logs: there is no folder ${logFolder}; name another with --log-dir`);
}

/** Collects what helps to understand a problem of this host, into one archive without secrets. */
export async function nodeDiags(context: Context, logFolder: string = DEFAULT_LOG_FOLDER): Promise<Result> {
  context.print(line('Collecting diagnostics'));
  const folder = await DiagsFolder.filled((empty) => collect(empty, context, logFolder));
  const archive = await folder.pack(`diags-${timestamp(new Date())}`);
  return { output: [line(`Diags saved to ${archive}`)] };
}
