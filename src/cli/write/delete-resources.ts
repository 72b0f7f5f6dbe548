import { CalicoError, NotFoundError, UnavailableError } from '../../base/errors.js';
import type { ResourceKey } from '../../api/resource-update.js';
import type { PublicKind } from '../../api/registry.js';
import type { Client } from '../../client/client.js';
import { type Call, type Context, flag } from '../command.js';
import { Fates } from './fates.js';
import {
  countsOf,
  describeFailure,
  type Failure,
  formatFailure,
  INTERRUPTED,
  partialMessage,
  successMessage,
} from '../messages.js';
import { resolveKind } from '../kind-names.js';
import { namedResources } from '../named-resource.js';
import { Progress } from '../progress.js';
import { line, type Result } from '../result.js';
import { warnOf } from './warnings.js';
import { inOrder, oneByOne } from './write-order.js';

type Keys = readonly ResourceKey<PublicKind>[];

function keysOfArguments(call: Call): Keys {
  const [word, ...names] = call.arguments;
  if (word !== undefined) resolveKind(word);
  if (word === undefined || names.length === 0) {
    throw new CalicoError('ERR_CALI_CLI_USAGE', 'give KIND and NAME, or a file with -f');
  }
  return namedResources(call, names, 'delete');
}

interface Deletion {
  readonly client: Client;
  readonly keys: Keys;
  readonly call: Call;
  readonly context: Context;
}

/** Deletes what can matter to one another in the order of the list, and the rest at once. */
async function deleteAll({ client, keys, call, context }: Deletion): Promise<Fates> {
  const fates = new Fates(keys);
  const progress = new Progress(context, 'resources deleted', keys.length);
  const act = async (index: number): Promise<boolean> => {
    const key = keys[index];
    if (key === undefined) return false;
    if (context.signal.aborted) {
      fates.stopped(INTERRUPTED);
      return false;
    }
    try {
      await client.delete(key);
    } catch (error) {
      if (error instanceof NotFoundError && flag(call, 'skipNotExists')) fates.skipped(index);
      else fates.failed(index, error, describeFailure(error, key));
      return !(error instanceof UnavailableError);
    }
    fates.done(index);
    progress.step();
    return true;
  };
  try {
    // A dry run names what it would do in the order of the file.
    const resources = keys.map((key) => ({ key }));
    await (flag(call, 'dryRun') ? oneByOne : inOrder)(resources, act);
  } finally {
    progress.end();
  }
  return fates;
}

/** One line for each resource that is still there; what stopped all of it, once. */
function errorsOf(fates: Fates, keys: Keys, isDryRun: boolean): readonly string[] {
  const format = (failure: Failure, index: number) => {
    const key = keys[index];
    if (key === undefined) return formatFailure(failure);
    return formatFailure({ ...failure, text: `Failed to delete '${key.kind}' resource: ${failure.text}` });
  };
  const errors = [...new Set(fates.failuresByPlace.map(([index, failure]) => format(failure, index)))];
  const account = fates.isEnded ? [] : fates.account('deleted', isDryRun);
  return [...errors.slice(0, -1), [...errors.slice(-1), ...account].join('\n')];
}

/** delete KIND NAME…, or what files name. */
export async function deleteResources(call: Call, context: Context): Promise<Result> {
  let keys: Keys;
  if (call.options['filename'] === undefined) keys = keysOfArguments(call);
  else {
    const { inputErrors, readInput } = await import('../manifests/input.js');
    const input = await readInput(call, context, { operation: 'delete', referencesOnly: true });
    if (input.failures.length > 0) return { errors: inputErrors(input.failures) };
    keys = input.resources.map(({ key }) => key);
  }
  if (keys.length === 0) return {};
  const client = await context.connect();
  await warnOf(
    keys.map((key) => ({ key })),
    { client, call, context },
  );
  const fates = await deleteAll({ client, keys, call, context });
  const counts = countsOf(keys, call);
  const deleted = fates.count('done');
  if (fates.failures.length === 0) return { output: [line(successMessage('deleted', { ...counts, total: deleted }))] };
  const output = deleted === 0 ? [] : [line(partialMessage('deleted', deleted, counts))];
  return { output, errors: errorsOf(fates, keys, flag(call, 'dryRun')) };
}
