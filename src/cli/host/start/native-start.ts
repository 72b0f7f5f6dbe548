import { existsSync } from 'node:fs';
import { mkdir, open, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CalicoError } from '../../../base/errors.js';
import type { Context } from '../../command.js';
import { runProgram, startProgram } from '../../programs.js';
import { nativeEnvironment } from './container.js';
import { notStartedYet, removeContainer, STARTED_LINE, tellWarnings, TERMINATED } from './engine-start.js';
import { environmentFileText } from './environment-file.js';
import { type NodeStart, startError } from './options.js';

const WAIT_MS = 10_000;
const LOOK_MS = 50;
const UNIT = 'calico-node.service';
const DROP_IN = `/etc/systemd/system/${UNIT}.d/calicoctl.conf`;
const VARIABLES = `/etc/systemd/system/${UNIT}.d/calicoctl.env`;
/** Never handed on: they would slow the daemon down or change how it runs. */
const NOT_INHERITED = ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS'];

/** What was started, and how. */
export interface Started {
  /** A process id, or the name of a unit. */
  readonly id: string;
  waitUntilReady(): Promise<void>;
}

/** `calico-node` beside this program, or on PATH. */
async function findNode({ environment }: Context): Promise<string> {
  const beside = dirname(await realpath(process.argv[1] ?? '.'));
  const folders = [beside, ...(environment['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin'];
  for (const folder of folders) {
    const path = join(folder, 'calico-node');
    if (folder !== '' && existsSync(path)) return path;
  }
  throw startError(
    'calico-node is not installed',
    'put it beside calicoctl, or on PATH; or start a container: --runtime=docker',
  );
}

async function hasUnit(): Promise<boolean> {
  if (!existsSync('/run/systemd/system')) return false;
  try {
    return (await runProgram('systemctl', ['cat', UNIT])).status === 0;
  } catch (error) {
    if (error instanceof CalicoError) return false;
    throw error;
  }
}

/** Its variables win over those of files that the unit names, and are shown to nobody but root. */
const DROP_IN_TEXT = `# Written by calicoctl node run --runtime=none.
[Service]
EnvironmentFile=${VARIABLES}
`;

async function startUnit(start: NodeStart, context: Context): Promise<Started> {
  await mkdir(dirname(DROP_IN), { recursive: true });
  await writeFile(VARIABLES, environmentFileText(nativeEnvironment(start)), { mode: 0o600 });
  await writeFile(DROP_IN, DROP_IN_TEXT);
  // What it says while systemctl still waits counts too.
  const since = Math.floor(Date.now() / 1_000);
  for (const words of [['daemon-reload'], ['restart', UNIT]]) {
    const { status, stderr } = await runProgram('systemctl', words);
    if (status !== 0) throw startError(`systemctl ${words.join(' ')}: ${stderr.trim()}`, `see journalctl -u ${UNIT}`);
  }
  const readLog = async () =>
    (await runProgram('journalctl', ['-u', UNIT, '--no-pager', '-o', 'cat', `--since=@${since}`])).stdout;
  const isAlive = async () => (await runProgram('systemctl', ['is-active', UNIT])).status === 0;
  return { id: UNIT, waitUntilReady: () => wait({ readLog, isAlive, where: `journalctl -u ${UNIT}` }, context) };
}

async function isAliveProcess(pid: number): Promise<boolean> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !/\) Z /.test(text);
  } catch {
    // It is gone.
    return false;
  }
}

async function sizeOf(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).size : 0;
}

async function textFrom(path: string, position: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, size - position));
    await file.read(buffer, 0, buffer.length, position);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}

async function startProcess(start: NodeStart, context: Context): Promise<Started> {
  const program = await findNode(context);
  await mkdir(start.logFolder, { recursive: true });
  const log = join(start.logFolder, 'calico-node.log');
  const before = await sizeOf(log);
  const inherited = Object.entries(context.environment).filter(([name]) => !NOT_INHERITED.includes(name));
  const environment = { ...Object.fromEntries(inherited), ...nativeEnvironment(start) };
  const pid = startProgram(program, [], { environment, logFile: log });
  return {
    id: String(pid),
    waitUntilReady: () =>
      wait({ readLog: () => textFrom(log, before), isAlive: () => isAliveProcess(pid), where: log }, context),
  };
}

interface Watched {
  readonly readLog: () => Promise<string>;
  readonly isAlive: () => Promise<boolean>;
  /** Where somebody reads the whole log. */
  readonly where: string;
}

async function wait({ readLog, isAlive, where }: Watched, context: Context): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  let last = '';
  while (Date.now() < deadline) {
    const lived = await isAlive();
    const lines = (await readLog()).trimEnd().split('\n');
    if (lines.includes(STARTED_LINE)) return tellWarnings(lines, context);
    last = lines.at(-1) ?? '';
    if (!lived) throw startError(TERMINATED, `see ${where}; it ends with: ${lines.slice(-2).join(' ').trim()}`);
    await delay(LOOK_MS);
  }
  throw notStartedYet(last);
}

/** Starts calico-node on the host itself: as its systemd unit where there is one, else as a process of its own that outlives this one. */
export async function startNatively(start: NodeStart, context: Context): Promise<Started> {
  await removeContainer(context);
  return (await hasUnit()) ? startUnit(start, context) : startProcess(start, context);
}
