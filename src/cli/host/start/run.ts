import { CalicoError } from '../../../base/errors.js';
import { type Call, type Context, flag, textOption } from '../../command.js';
import { type DatastoreSettings, ENVIRONMENT, readSettings } from '../../config.js';
import { stopRunningNode } from '../../first-era/nodes.js';
import { refuseNonRoot, thisNode } from '../../first-era/this-host.js';
import { INTERRUPTED_STATUS } from '../../interruption.js';
import { line, type Result } from '../../result.js';
import { CONTAINER, dockerRun, shellText } from './container.js';
import {
  clearPlace,
  pullImage,
  readHostFacts,
  requireFiles,
  runContainer,
  STARTED_LINE,
  startContainer,
  waitForContainer,
} from './engine-start.js';
import { prepareHost } from './host-preparation.js';
import { startNatively } from './native-start.js';
import { type NodeStart, readOldOptions, readRunOptions, startError } from './options.js';

async function datastoreSettings(call: Call, context: Context): Promise<DatastoreSettings> {
  try {
    const { source, settings } = await readSettings(textOption(call, 'config'), context);
    const typed = context.environment['ETCD_ENDPOINTS'] ?? '';
    const isPassedOver = typed !== '' && typed !== settings['ETCD_ENDPOINTS'] && source !== ENVIRONMENT;
    if (isPassedOver)
      context.tell(`note: ${source} says where the datastore is, and ETCD_ENDPOINTS=${typed} is passed over`);
    return settings;
  } catch (error) {
    if (error instanceof CalicoError) throw startError('invalid config file', error.message, error);
    throw error;
  }
}

/** What would be run, for those who run it themselves. */
async function dryRun(start: NodeStart, isInitSystem: boolean): Promise<Result> {
  const words = dockerRun(start, isInitSystem ? 'init-system' : 'detached', await readHostFacts());
  const hints = isInitSystem
    ? ['Use the following command to stop the calico/node container:', '', `docker stop ${CONTAINER}`, '']
    : ['If an init system is to start and stop it, ask for its commands with: --dryrun --init-system', ''];
  const text = ['Use the following command to start the calico/node container:', '', shellText(words), '', ...hints];
  return { output: text.map(line) };
}

/** The calico-node of before makes way; what it put into the kernel stays in force. */
async function startWithoutContainer(start: NodeStart, context: Context): Promise<Result> {
  const stopped = await stopRunningNode();
  if ((stopped.errors ?? []).length > 0) return stopped;
  context.print(line('Running the following program to start calico-node: calico-node'));
  const started = await startNatively(start, context);
  context.print(line(`calico-node started (${started.id}), waiting for it`));
  await started.waitUntilReady();
  return { output: [line(STARTED_LINE)] };
}

/** `calicoctl node run` */
export async function runNode(call: Call, context: Context): Promise<Result> {
  const start = readRunOptions(call, await thisNode(context), await datastoreSettings(call, context));
  const isInitSystem = flag(call, 'initSystem');
  if (flag(call, 'dryrun')) return dryRun(start, isInitSystem);
  if (process.geteuid?.() !== 0) return { errors: ['Need super user privileges: Operation not permitted'] };
  await requireFiles(start);
  await prepareHost(context);
  if (start.runtime === 'none') return startWithoutContainer(start, context);
  context.print(line('Removing old calico-node container (if running).'));
  await clearPlace(start);
  const facts = await readHostFacts();
  context.print(line('Running the following command to start calico-node:'));
  context.print(line(''));
  context.print(line(shellText(dockerRun(start, isInitSystem ? 'init-system' : 'detached', facts))));
  context.print(line(''));
  if (isInitSystem) return { status: await runContainer(start, 'init-system', context) };
  await startContainer(start, facts, context);
  context.print(line('Container started, checking progress logs.'));
  context.print(line(''));
  await waitForContainer(context);
  return { output: [line(STARTED_LINE)] };
}

async function oldInForeground(start: NodeStart, context: Context): Promise<Result> {
  if (start.runtime === 'none') throw startError('--detach=false goes with a container only', 'run calico-node itself');
  await clearPlace(start);
  const status = await runContainer(start, 'foreground', context);
  return { status: context.signal.aborted ? INTERRUPTED_STATUS : status };
}

/** The first era's `calicoctl node` */
export async function runOldNode(call: Call, context: Context): Promise<Result> {
  const refusal = refuseNonRoot();
  if (refusal !== undefined) return refusal;
  const start = readOldOptions(call, await thisNode(context), await datastoreSettings(call, context));
  const detach = textOption(call, 'detach') ?? 'true';
  if (detach !== 'true' && detach !== 'false') throw startError(`--detach: "${detach}" is not true or false`);
  if (detach === 'false' && start.hasLibnetwork) throw startError('--detach=false cannot be used with --libnetwork');
  await requireFiles(start);
  await prepareHost(context);
  const pulls = call.options['pull'] !== false && start.runtime === 'docker';
  if (pulls) await pullImage(start, context);
  if (detach === 'false') return oldInForeground(start, context);
  const wait = await startOld(start, context);
  if (start.hasLibnetwork) context.print(line('Calico node running with libnetwork plugin enabled'));
  context.print(line('Waiting for successful startup'));
  await wait();
  return { output: [line(STARTED_LINE)] };
}

/** Prints what is run and its id. @returns what waits for its start */
async function startOld(start: NodeStart, context: Context): Promise<() => Promise<void>> {
  if (start.runtime === 'none') {
    const { errors = [] } = await stopRunningNode();
    if (errors.length > 0) throw startError(errors.join('; '));
    const started = await startNatively(start, context);
    context.print(line(`Calico node is running with id: ${started.id}`));
    return () => started.waitUntilReady();
  }
  await clearPlace(start);
  const facts = await readHostFacts();
  context.print(line('Running Docker container with the following command:'));
  context.print(line(''));
  context.print(line(shellText(dockerRun(start, 'detached', facts))));
  context.print(line(''));
  const id = await startContainer(start, facts, context);
  context.print(line(`Calico node is running with id: ${id}`));
  return () => waitForContainer(context);
}
