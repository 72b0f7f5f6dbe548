import { CalicoError, NotFoundError, UnavailableError } from '../base/errors.js';
import type { ResourceKey } from '../api/resource-update.js';
import type { PublicKind } from '../api/registry.js';
import { type Call, type Context, flag } from './command.js';
import { countsOf, describeFailure, formatFailure, partialMessage, successMessage } from './messages.js';
import { namedResources } from './named-resource.js';
import { line, type Result } from './result.js';
import { warnOf } from './warnings.js';

function keysOfArguments(call: Call): readonly ResourceKey<PublicKind>[] {
  const [word, ...names] = call.arguments;
  if (word === undefined || names.length === 0) {
    throw new CalicoError('ERR_CALI_CLI_USAGE', 'give KIND and NAME, or a file with -f');
  }
  return namedResources(call, names, 'delete');
}

/** delete KIND NAME…, or what files name. */
export async function deleteResources(call: Call, context: Context): Promise<Result> {
  let keys: readonly ResourceKey<PublicKind>[];
  if (call.options['filename'] === undefined) keys = keysOfArguments(call);
  else {
    const { inputErrors, readInput } = await import('./input.js');
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
  const errors: string[] = [];
  let deleted = 0;
  for (const key of keys) {
    try {
      await client.delete(key);
      deleted += 1;
    } catch (error) {
      if (error instanceof NotFoundError && flag(call, 'skipNotExists')) continue;
      const failure = describeFailure(error, key);
      errors.push(formatFailure({ ...failure, text: `Failed to delete '${key.kind}' resource: ${failure.text}` }));
      if (error instanceof UnavailableError) break;
    }
  }
  const counts = countsOf(keys, call);
  if (errors.length === 0) return { output: [line(successMessage('deleted', { ...counts, total: deleted }))] };
  return { output: deleted === 0 ? [] : [line(partialMessage('deleted', deleted, counts))], errors };
}
