import { AlreadyExistsError, UnavailableError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import type { Selector } from '../selector/ast.js';
import { type Call, type Context, flag } from './command.js';
import { inputErrors, type InputResource, readInput } from './input.js';
import {
  allFailedMessage,
  countsOf,
  describeFailure,
  type Failure,
  formatFailure,
  joinFailures,
  partialMessage,
  successMessage,
  type WriteCounts,
} from './messages.js';
import { prune, pruneSelector } from './prune.js';
import { line, type Result } from './result.js';
import { warnOf } from './warnings.js';

interface Verb {
  readonly verb: string;
  readonly done: string;
  readonly operation: string;
  write(client: Client, input: InputResource): Promise<unknown>;
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
    write: (client, { resource }) => client.apply(resource),
  },
  replace: {
    verb: 'replace',
    done: 'replaced',
    operation: 'replace',
    write: (client, { resource }) => client.update(resource),
  },
} as const satisfies Record<string, Verb>;

function report(verb: Verb, counts: WriteCounts, failures: readonly Failure[]): Result {
  const written = counts.total - failures.length;
  if (failures.length === 0) return { output: [line(successMessage(verb.done, counts))] };
  if (written === 0) return { errors: [allFailedMessage(verb.verb, failures, counts)] };
  return { output: [line(partialMessage(verb.done, written, counts))], errors: [joinFailures('hit error', failures)] };
}

/** A replace ends at its first failure, which its message counts in. */
function reportReplace(counts: WriteCounts, handled: number, failure: Failure): Result {
  return {
    output: [line(partialMessage('replaced', handled, counts))],
    errors: [formatFailure({ ...failure, text: `hit error: ${failure.text}` })],
  };
}

async function initialize(client: Client): Promise<void> {
  try {
    await client.ensureInitialized();
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    // Somebody who may write a policy need not be allowed to write the cluster's own objects.
  }
}

/** create, apply, replace: reads and judges everything, then writes one by one. */
export async function writeResources(name: keyof typeof VERBS, call: Call, context: Context): Promise<Result> {
  const verb: Verb = VERBS[name];
  const pruned = pruneSelector(call);
  const { resources, failures } = await readInput(call, context, verb);
  if (failures.length > 0) return { errors: inputErrors(failures) };
  if (resources.length === 0) return {};
  const client = await context.connect();
  await initialize(client);
  await warnOf(resources, { client, call, context });
  const counts = countsOf(
    resources.map(({ key }) => key),
    call,
  );
  const refused: Failure[] = [];
  for (const [index, input] of resources.entries()) {
    try {
      await verb.write(client, input);
    } catch (error) {
      if (error instanceof AlreadyExistsError && flag(call, 'skipExists')) continue;
      const failure = describeFailure(error, input.key, input.locate);
      if (name === 'replace') return reportReplace(counts, index + 1, failure);
      refused.push(failure);
      if (error instanceof UnavailableError) break;
    }
  }
  const result = report(verb, counts, refused);
  return pruned === undefined ? result : withPruning(result, { client, resources, call, selector: pruned });
}

interface Pruning {
  readonly client: Client;
  readonly resources: readonly InputResource[];
  readonly selector: Selector;
  readonly call: Call;
}

/** Half of what the files describe may refer to what would go. */
async function withPruning(result: Result, { client, resources, selector, call }: Pruning): Promise<Result> {
  const { output = [], errors = [] } = result;
  if (errors.length > 0) return { output, errors: [...errors, 'nothing was pruned: not everything was applied'] };
  const keys = resources.map(({ key }) => key);
  const pruning = await prune(client, keys, selector, call);
  return { output: [...output, ...(pruning.output ?? [])], errors: pruning.errors ?? [] };
}
