import { type Call, type Context } from './command.js';
import { outputFormat, present, shapeOf } from './get-formats.js';
import { gatherResources, queryOf, refinementOf } from './get-query.js';
import type { Result } from './result.js';

/** get [KIND [NAME…]] or what files name. */
export async function getResources(call: Call, context: Context): Promise<Result> {
  const format = await outputFormat(call, context);
  const refinement = refinementOf(call);
  if (format.type === 'table' && call.arguments[0] !== undefined) format.columns(queryOf(call).kind);
  const { found, errors } = await gatherResources(call, context, refinement);
  if (found.length === 0) return { errors };
  const shape = await shapeOf(
    call,
    context,
    format,
    found.map(({ kind }) => kind),
  );
  return { output: present(found, format, shape), errors };
}
