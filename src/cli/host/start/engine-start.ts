import { access, mkdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CalicoError } from '../../../base/errors.js';
import type { Context } from '../../command.js';
import { type ProgramOptions, type ProgramResult, runProgram } from '../../programs.js';
import { whyUnreadable } from '../../unreadable.js';
import { privilegesWithout, readMissingCapabilities } from './capabilities.js';
import { CONTAINER, dockerRun, dockerSecrets, givenFiles, type HostFacts } from './container.js';
import { type NodeStart, OWN_IMAGE, startError } from './options.js';

/** What `calico-node` prints when its services run. */
export const STARTED_LINE = 'Calico node started successfully';
const WAIT_MS = 10_000;
const LOOK_MS = 100;

export const TERMINATED = 'calico/node has terminated, check logs for details';

async function docker(words: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  try {
    return await runProgram('docker', words, options);
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error;
    if (options.signal?.aborted === true) throw startError('interrupted', undefined, error);
    throw startError(error.message, 'install Docker, or start calico-node without it: add --runtime=none', error);
  }
}

/** Whether mounts below /run reach those who ask for them: a line of /proc/self/mountinfo says `shared:N`. */
function isShared(mounts: string, folder: string): boolean {
  const line = mounts.split('\n').findLast((text) => text.split(' ')[4] === folder);
  return line === undefined ? folder !== '/' && isShared(mounts, '/') : /\sshared:\d+/.test(line);
}

export async function readHostFacts(): Promise<HostFacts> {
  const [modules, mounts] = await Promise.allSettled([
    access('/lib/modules'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  return {
    hasModules: modules.status === 'fulfilled',
    sharesRun: mounts.status === 'fulfilled' && isShared(mounts.value, '/run'),
  };
}

/** The image is here, or somebody may fetch it: nobody else's image is ever taken for ours. */
async function requireImage({ image, isImageGiven }: NodeStart): Promise<void> {
  const { status, stderr } = await docker(['image', 'inspect', '--format', '{{.Id}}', image]);
  if (status === 0) return;
  if (!/no such image/i.test(stderr)) {
    throw startError(
      stderr.trim().split('\n')[0] ?? '',
      'start the engine: systemctl start docker; or add --runtime=none',
    );
  }
  if (isImageGiven) return;
  throw startError(
    `this engine does not have the image ${OWN_IMAGE}`,
    'build and load it (make image; docker load -i dist/image/calico-node.tar), or add --runtime=none',
  );
}

/** Fetches the image, as the first era did unless told not to. What is here already does for a registry that is not. */
export async function pullImage(start: NodeStart, context: Context): Promise<void> {
  if (!start.isImageGiven) return;
  context.tell(`Pulling Docker image ${start.image}`);
  const { status, stderr } = await docker(['pull', start.image], { signal: context.signal });
  if (status !== 0) context.tell(`warning: ${stderr.trim().split('\n').at(-1) ?? 'it cannot be pulled'}`);
}

/** @throws {CalicoError} a file that the node is to be given cannot be read */
export async function requireFiles(start: NodeStart): Promise<void> {
  for (const [name, file] of givenFiles(start)) {
    try {
      await readFile(file);
    } catch (cause) {
      throw startError(`${name} names "${file}", which cannot be read: ${whyUnreadable(cause)}`, undefined, cause);
    }
  }
}

/** Takes the container of before away, where there are containers: an engine would start it again beside what runs without one. */
export async function removeContainer(context: Context): Promise<void> {
  try {
    const { stdout } = await runProgram('docker', ['rm', '-f', CONTAINER]);
    if (stdout.trim() === CONTAINER) context.tell(`note: the container ${CONTAINER} of before is taken away`);
  } catch (error) {
    // There is no docker here.
    if (!(error instanceof CalicoError)) throw error;
  }
}

/** Takes the container of before away, readies the folders that the new one mounts. */
export async function clearPlace(start: NodeStart): Promise<void> {
  await requireImage(start);
  await docker(['rm', '-f', CONTAINER]);
  for (const folder of [start.logFolder, '/var/run/calico', '/var/lib/calico']) {
    await mkdir(folder, { recursive: true });
  }
}

/**
 * Runs the command of {@link dockerRun}; once more, and told so, where this machine's root lacks what `--privileged` asks for.
 *
 * @returns the container's id
 */
export async function startContainer(start: NodeStart, facts: HostFacts, context: Context): Promise<string> {
  const [, ...words] = dockerRun(start, 'detached', facts);
  const environment = { ...context.environment, ...dockerSecrets(start) };
  const { status, stdout, stderr } = await docker(words, { environment, signal: context.signal });
  if (status === 0) return stdout.trim();
  const missing = /unable to apply caps/.test(stderr) ? await readMissingCapabilities() : [];
  if (missing.length === 0 || facts.privileges !== undefined) {
    throw startError(stderr.trim().split('\n')[0] ?? `docker run ends with ${status}`);
  }
  context.tell(
    `note: this machine's root lacks ${missing.join(', ')}, so --privileged is not possible: the container runs with`,
  );
  const privileges = privilegesWithout(missing);
  context.tell(`  ${privileges.join(' ')}`);
  await docker(['rm', '-f', CONTAINER]);
  return startContainer(start, { ...facts, privileges }, context);
}

/** Runs it in front of the person or the init system. @returns its exit status */
export async function runContainer(
  start: NodeStart,
  mode: 'foreground' | 'init-system',
  context: Context,
): Promise<number> {
  const [, ...words] = dockerRun(start, mode, await readHostFacts());
  const environment = { ...context.environment, ...dockerSecrets(start) };
  const { status } = await docker(words, { environment, isInteractive: true });
  return status;
}

/** Waits until the container says that its services run. @throws {CalicoError} it ended, or did not say so in ten seconds */
export async function waitForContainer(context: Context): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  let last = '';
  while (Date.now() < deadline && !context.signal.aborted) {
    const { stdout, stderr } = await docker(['logs', CONTAINER]);
    const lines = `${stdout}${stderr}`.trimEnd().split('\n');
    if (lines.includes(STARTED_LINE)) return tellWarnings(lines, context);
    last = lastSaid(lines);
    const state = await docker(['inspect', '--format', '{{.State.Running}} {{.RestartCount}}', CONTAINER]);
    if (state.stdout.trim() !== 'true 0')
      throw startError(TERMINATED, `docker logs ${CONTAINER}; the last line: ${last}`);
    await delay(LOOK_MS);
  }
  if (context.signal.aborted) throw startError('interrupted', `it goes on starting: see docker logs ${CONTAINER}`);
  throw notStartedYet(last);
}

/** What a start went well in spite of, say an address that this host does not have: nobody reads the log of what has started. */
export function tellWarnings(lines: readonly string[], context: Pick<Context, 'tell'>): void {
  for (const line of lines) {
    const [, warning] = /\[WARN\]\[\d+\] node: (.+)$/.exec(line) ?? [];
    if (warning !== undefined) context.tell(`warning: ${warning}`);
  }
}

/** The line that says most of how a log ends: not a stack, nor the version with which node(1) takes its leave. */
export function lastSaid(lines: readonly string[]): string {
  return lines.findLast((line) => !/^(\s|\}|Node\.js v|$)/.test(line)) ?? '';
}

/** It lives and waits for something, most often for its datastore. */
export function notStartedYet(lastLine: string): CalicoError {
  return startError(
    `calico/node runs, but has not started within ${WAIT_MS / 1_000} seconds: ${lastLine}`,
    'it goes on trying: see calicoctl node status',
  );
}
