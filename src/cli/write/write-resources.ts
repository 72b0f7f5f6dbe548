import { AlreadyExistsError, UnavailableError } from '../../base/errors.js';
import type { PublicKind } from '../../api/registry.js';
import { type Client, resourceId } from '../../client/client.js';
import type { Stored } from '../../datastore/datastore.js';
import type { Selector } from '../../selector/ast.js';
import { type Call, type Context, flag } from '../command.js';
import { Fates } from './fates.js';
import { inputErrors, type InputResource, readInput } from '../manifests/input.js';
import {
  allFailedMessage,
  countsOf,
  describeFailure,
  formatFailure,
  INTERRUPTED,
  joinFailures,
  partialMessage,
  successMessage,
  type WriteCounts,
} from '../messages.js';
import { Progress } from '../progress.js';
import { prune, pruneSelector } from './prune.js';
import { line, type Result } from '../result.js';
import { readSeen, type SeenResources } from './seen-resources.js';
import { warnOf } from './warnings.js';
import { inOrder, oneByOne } from './write-order.js';

interface Verb {
  readonly verb: string;
  readonly done: string;
  readonly operation: string;
  /** @param seen what is stored, where that was read already; a second object of one name in a file finds it changed */
  write(client: Client, input: InputResource, seen: Stored<PublicKind> | undefined): Promise<unknown>;
}

const VERBS = {
  create: {
    verb: 'create',
    done: 'created',
    operation: 'create or apply',
    write: (client, { resource }) => client.create(resource),
  },
  apply: {
    verb: 'apply',
    done: 'applied',
    operation: 'create or apply',
    write: (client, { resource }, seen) => client.apply(resource, seen),
  },
  replace: {
    verb: 'replace',
    done: 'replaced',
    operation: 'replace',
    write: (client, { resource }, seen) => client.update(resource, seen),
  },
} as const satisfies Record<string, Verb>;

interface Writing {
  readonly name: keyof typeof VERBS;
  readonly counts: WriteCounts;
  readonly fates: Fates;
}

function report({ name, counts, fates }: Writing): Result {
  const { verb, done } = VERBS[name];
  if (fates.isWhole) return { output: [line(successMessage(done, counts))] };
  const { failures } = fates;
  const written = fates.count('done');
  const errors = (said: string) => [[said, ...fates.account(done, counts.isDryRun)].join('\n')];
  const [first] = failures;
  if (name === 'replace' && first !== undefined) {
    // It ends at its first failure, which its message counts in.
    const said = formatFailure({ ...first, text: `hit error: ${first.text}` });
    return { output: [line(partialMessage(done, written + 1, counts))], errors: errors(said) };
  }
  if (written === 0) return { errors: errors(allFailedMessage(verb, failures, counts)) };
  return { output: [line(partialMessage(done, written, counts))], errors: errors(joinFailures('hit error', failures)) };
}

async function initialize(client: Client): Promise<void> {
  try {
    await client.ensureInitialized();
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    // Somebody who may write a policy need not be allowed to write the cluster's own objects.
  }
}

interface Work {
  readonly client: Client;
  readonly resources: readonly InputResource[];
  readonly name: keyof typeof VERBS;
  readonly call: Call;
  readonly context: Context;
}

async function writeAll({ client, resources, name, call, context }: Work): Promise<Fates> {
  const verb: Verb = VERBS[name];
  const fates = new Fates(resources.map(({ key }) => key));
  const isDryRun = flag(call, 'dryRun');
  const seen: SeenResources = name === 'create' || isDryRun ? new Map() : await readSeen(client, resources);
  const progress = new Progress(context, `resources ${verb.done}`, resources.length);
  const write = async (index: number): Promise<boolean> => {
    const input = resources[index];
    if (input === undefined) return false;
    if (context.signal.aborted) {
      fates.stopped(INTERRUPTED);
      return false;
    }
    try {
      await verb.write(client, input, seen.get(resourceId(input.key)));
    } catch (error) {
      if (!(error instanceof AlreadyExistsError) || !flag(call, 'skipExists')) {
        fates.failed(index, error, describeFailure(error, input.key, input.locate));
        return name !== 'replace' && !(error instanceof UnavailableError);
      }
    }
    fates.done(index);
    progress.step();
    return true;
  };
  // A dry run names what it would do in the order of the file. A replace ends at the first failure, and is not to have gone past it;
  // but what is all there can hardly fail.
  const isInLine = isDryRun || (name === 'replace' && !resources.every(({ key }) => seen.has(resourceId(key))));
  try {
    await (isInLine ? oneByOne : inOrder)(resources, write);
  } finally {
    progress.end();
  }
  return fates;
}

/** create, apply, replace: reads and judges everything, then writes; what cannot matter to one another, at once. */
export async function writeResources(name: keyof typeof VERBS, call: Call, context: Context): Promise<Result> {
  const pruned = pruneSelector(call);
  const { resources, failures } = await readInput(call, context, VERBS[name]);
  if (failures.length > 0) return { errors: inputErrors(failures) };
  if (resources.length === 0) return {};
  const client = await context.connect();
  await initialize(client);
  await warnOf(resources, { client, call, context });
  const fates = await writeAll({ client, resources, name, call, context });
  const keys = resources.map(({ key }) => key);
  const result = report({ name, counts: countsOf(keys, call), fates });
  return pruned === undefined ? result : withPruning(result, { client, resources, call, context, selector: pruned });
}

interface Pruning {
  readonly client: Client;
  readonly resources: readonly InputResource[];
  readonly selector: Selector;
  readonly call: Call;
  readonly context: Context;
}

/** Half of what the files describe may refer to what would go. */
async function withPruning(result: Result, { resources, ...pruning }: Pruning): Promise<Result> {
  const { output = [], errors = [] } = result;
  if (errors.length > 0) return { output, errors: [...errors, 'nothing was pruned: not everything was applied'] };
  const pruned = await prune({ ...pruning, applied: resources.map(({ key }) => key) });
  return { output: [...output, ...(pruned.output ?? [])], errors: pruned.errors ?? [] };
}
