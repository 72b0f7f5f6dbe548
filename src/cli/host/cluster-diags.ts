import { CalicoError, formatError } from '../../base/errors.js';
import type { Context } from '../command.js';
import { COMMAND_MS, DiagsFolder, timestamp } from './diags-folder.js';
import { isNotInstalled, runProgram } from '../programs.js';
import { Progress } from '../progress.js';
import { line, type Result } from '../result.js';

export interface ClusterDiagsOptions {
  /** Of logs, only the last so long: `5s`, `2m`, `3h`. */
  readonly since?: string | undefined;
  /** How many pods of a kind have their logs taken. */
  readonly maxLogs: number;
  readonly maxParallelism: number;
  /** Nodes whose pods are taken first. */
  readonly focusNodes: readonly string[];
  readonly keepsFolder: boolean;
}

type KubectlWords = readonly ['kubectl', ...string[]];

interface Task {
  readonly file: string;
  readonly command: KubectlWords;
}

interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** What it is one of: `calico-node`, `typha`. */
  readonly app: string;
}

const PODS =
  'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} {.spec.nodeName} {.metadata.labels.k8s-app}{"\\n"}{end}';

const CLUSTER_TASKS: readonly Task[] = [
  { file: 'version.txt', command: ['kubectl', 'version', '-o', 'yaml'] },
  { file: 'nodes.yaml', command: ['kubectl', 'get', 'nodes', '-o', 'yaml'] },
  { file: 'nodes.txt', command: ['kubectl', 'get', 'nodes', '-o', 'wide'] },
  { file: 'pods.txt', command: ['kubectl', 'get', 'pods', '-A', '-o', 'wide'] },
  { file: 'services.yaml', command: ['kubectl', 'get', 'services', '-A', '-o', 'yaml'] },
  { file: 'networkpolicies.yaml', command: ['kubectl', 'get', 'networkpolicies', '-A', '-o', 'yaml'] },
  { file: 'namespaces.yaml', command: ['kubectl', 'get', 'namespaces', '-o', 'yaml'] },
  { file: 'events.txt', command: ['kubectl', 'get', 'events', '-A', '--sort-by=.lastTimestamp'] },
  { file: 'daemonsets.yaml', command: ['kubectl', 'get', 'daemonsets', '-A', '-o', 'yaml'] },
  { file: 'deployments.yaml', command: ['kubectl', 'get', 'deployments', '-A', '-o', 'yaml'] },
];

/** What is asked inside the pod of each node. */
const NODE_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'ipv4_route.txt': ['ip', '-4', 'route'],
  'ipv6_route.txt': ['ip', '-6', 'route'],
  'addr.txt': ['ip', 'addr'],
  'nft_ruleset.txt': ['nft', '-n', '-a', 'list', 'ruleset'],
  'iptables-save.txt': ['iptables-save', '-c'],
  'bird_protocols.txt': ['birdc', '-s', '/var/run/calico/bird.ctl', 'show', 'protocols', 'all'],
};

function cannotReach(words: readonly string[], why: string, cause?: unknown): CalicoError {
  return new CalicoError('ERR_CALI_CLI_KUBECTL', `kubectl ${words.slice(0, 2).join(' ')} fails: ${why}`, {
    hint: 'give kubectl a kubeconfig that reaches the cluster; for this host alone there is: calicoctl node diags',
    cause,
  });
}

/** @throws {CalicoError} `ERR_CALI_CLI_KUBECTL` it is not installed, or reaches no cluster; interrupted */
async function kubectl(words: readonly string[], signal: AbortSignal): Promise<string> {
  let failure: string;
  try {
    const { status, stdout, stderr } = await runProgram('kubectl', words, { signal, timeoutMs: COMMAND_MS });
    if (status === 0) return stdout;
    failure = stderr.trim().split('\n').at(-1) ?? '';
  } catch (cause) {
    if (!(cause instanceof CalicoError) || signal.aborted) throw cause;
    if (!isNotInstalled(cause)) throw cannotReach(words, cause.message, cause);
    throw new CalicoError('ERR_CALI_CLI_KUBECTL', 'cluster diags reads the cluster with kubectl, which cannot be run', {
      hint: 'install kubectl and give it a kubeconfig; for this host alone there is: calicoctl node diags',
      cause,
    });
  }
  throw cannotReach(words, failure);
}

function readPods(text: string): readonly Pod[] {
  return text
    .split('\n')
    .map((row) => row.split(' '))
    .flatMap(([namespace = '', name = '', node = '', app = '']) =>
      namespace === '' || !/calico|typha|tigera/.test(`${namespace} ${app}`) ? [] : [{ namespace, name, node, app }],
    );
}

/** At most so many of each kind, those on the nodes in focus before all others. */
export function choosePods(pods: readonly Pod[], { maxLogs, focusNodes }: ClusterDiagsOptions): readonly Pod[] {
  const isFocused = ({ node }: Pod): boolean => focusNodes.includes(node);
  const ordered = [...pods.filter(isFocused), ...pods.filter((pod) => !isFocused(pod))];
  const taken = new Map<string, number>();
  return ordered.filter((pod) => {
    const kind = `${pod.namespace}/${pod.app}`;
    const count = taken.get(kind) ?? 0;
    taken.set(kind, count + 1);
    return count < maxLogs;
  });
}

function podTasks({ namespace, name, app }: Pod, since: string | undefined): readonly Task[] {
  const place = `pods/${namespace}/${name}`;
  const recent = since === undefined ? [] : [`--since=${since}`];
  const log: Task = {
    file: `${place}/log.txt`,
    command: ['kubectl', 'logs', '-n', namespace, name, '--all-containers', '--prefix', ...recent],
  };
  const shown: Task = {
    file: `${place}/pod.yaml`,
    command: ['kubectl', 'get', 'pod', '-n', namespace, name, '-o', 'yaml'],
  };
  if (app !== 'calico-node') return [log, shown];
  const asked = Object.entries(NODE_COMMANDS).map(([file, words]): Task => {
    return { file: `${place}/${file}`, command: ['kubectl', 'exec', '-n', namespace, name, '--', ...words] };
  });
  return [log, shown, ...asked];
}

async function resourceTasks(signal: AbortSignal): Promise<readonly Task[]> {
  const names = await kubectl(['api-resources', '--api-group=crd.projectcalico.org', '-o', 'name'], signal);
  return names
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => ({
      file: `resources/${name.replace(/\..*$/, '')}.yaml`,
      command: ['kubectl', 'get', name, '-A', '-o', 'yaml'],
    }));
}

async function perform(tasks: readonly Task[], folder: DiagsFolder, context: Context, parallel: number): Promise<void> {
  const progress = new Progress(context, 'diagnostics collected', tasks.length);
  const rest = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = rest.shift(); task !== undefined; task = rest.shift()) {
      await folder.run(task.file, task.command, context.signal);
      progress.step();
    }
  };
  // All have ended when one has failed: none writes any more into a folder that is taken away.
  const ends = await Promise.allSettled(Array.from({ length: parallel }, work));
  progress.end();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Collects what helps to understand a problem of a Kubernetes cluster, into one archive without secrets. */
export async function clusterDiags(context: Context, options: ClusterDiagsOptions): Promise<Result> {
  const pods = readPods(await kubectl(['get', 'pods', '-A', '-o', PODS], context.signal));
  context.print(line('Collecting cluster diagnostics'));
  const chosen = choosePods(pods, options).flatMap((pod) => podTasks(pod, options.since));
  const folder = await DiagsFolder.filled(async (empty) => {
    let resources: readonly Task[] = [];
    try {
      resources = await resourceTasks(context.signal);
    } catch (error) {
      if (!(error instanceof CalicoError) || context.signal.aborted) throw error;
      // A cluster without these resources still has the rest to show.
      await empty.write('resources/error.txt', `${formatError(error)}\n`);
    }
    await perform([...CLUSTER_TASKS, ...resources, ...chosen], empty, context, options.maxParallelism);
  });
  const archive = await folder.pack(`calico-diags-${timestamp(new Date())}`, options.keepsFolder);
  return { output: [line(`Diags saved to ${archive}`)] };
}
