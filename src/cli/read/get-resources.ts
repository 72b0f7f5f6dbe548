import { type Call, type Context, flag, textOption } from '../command.js';
import { outputFormat, present, shapeOf } from './get-formats.js';
import { bad, gatherResources, queryOf, refinementOf } from './get-query.js';
import { parsePath } from './resource-path.js';
import type { Result } from '../result.js';

/** Sorting by a field that is misspelt would leave all as it is, without a word. */
async function refuseUnknownSorting(call: Call): Promise<void> {
  const path = textOption(call, 'sortBy');
  if (path === undefined || call.arguments[0] === undefined) return;
  const { refuseUnknownPath } = await import('./field-tree.js');
  refuseUnknownPath(queryOf(call).kind, parsePath(path));
}

/** get [KIND [NAME…]] or what files name. */
export async function getResources(call: Call, context: Context): Promise<Result> {
  const format = await outputFormat(call, context);
  const refinement = refinementOf(call);
  await refuseUnknownSorting(call);
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
