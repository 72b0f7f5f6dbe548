import { type Call, type Context, flag } from './command.js';
import { outputFormat, present, shapeOf } from './get-formats.js';
import { bad, gatherResources, queryOf, refinementOf } from './get-query.js';
import type { Result } from './result.js';

/** get [KIND [NAME…]] or what files name. */
export async function getResources(call: Call, context: Context): Promise<Result> {
  const format = await outputFormat(call, context);
  const refinement = refinementOf(call);
  if (format.type === 'table' && call.arguments[0] !== undefined) format.columns(queryOf(call).kind);
  if (flag(call, 'watch')) {
    if (call.options['filename'] !== undefined) throw bad('give KIND to watch, not a file');
    const { watchResources } = await import('./get-watch.js');
    return watchResources(call, context, { format, refinement });
  }
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
