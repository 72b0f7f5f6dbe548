import type { Call, Context } from '../command.js';
import { inputErrors, readInput } from './input.js';
import { countsOf, successMessage } from '../messages.js';
import { line, type Result } from '../result.js';

/** validate -f FILE: what the file alone can tell, without a datastore. */
export async function validateResources(call: Call, context: Context): Promise<Result> {
  const { resources, failures } = await readInput(call, context, { operation: 'validate', forWriting: false });
  if (failures.length > 0) return { errors: inputErrors(failures) };
  if (resources.length === 0) return {};
  const keys = resources.map(({ key }) => key);
  return { output: [line(successMessage('validated', countsOf(keys, call)))] };
}
