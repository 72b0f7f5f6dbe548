import { isPublicKind, type PublicKind, type PublicResourceByKind } from '../../api/registry.js';
import { UnavailableError, visibleText } from '../../base/errors.js';
import { resourceId } from '../../client/client.js';
import type { DryRunChange } from '../../datastore/dry-run/dry-run-datastore.js';
import { type Paint, painter } from '../colours.js';
import type { Call, Context } from '../command.js';
import { DryRun } from '../dry-run.js';
import { inputErrors, type InputResource, readInput } from '../manifests/input.js';
import { describeFailure, formatFailure } from '../messages.js';
import { line, type Result } from '../result.js';
import { differencesBetween, type Difference, formatInline } from './value-difference.js';
import { formatYaml } from '../yaml-text.js';

const STATUS = { same: 0, different: 1, failed: 2 } as const;

/** Without what the store gives an object: it would differ with every look. */
function essence(resource: PublicResourceByKind[PublicKind]): object {
  const { uid: _, creationTimestamp: __, ...metadata } = resource.metadata;
  return { ...resource, metadata };
}

/** Each line ends in its own colour, or a pager would lose it. */
function wholeResource(mark: '+' | '-', resource: object, paint: Paint): string[] {
  const lines = formatYaml(resource).trimEnd().split('\n');
  return lines.map((text) => paint(mark === '+' ? 'green' : 'red', `  ${mark} ${text}`));
}

function differenceLine(difference: Difference, paint: Paint): string {
  const path = visibleText(difference.path);
  switch (difference.type) {
    case 'added':
      return paint('green', `  + ${path}: ${formatInline(difference.after)}`);
    case 'removed':
      return paint('red', `  - ${path}: ${formatInline(difference.before)}`);
    case 'changed': {
      const [before, after] = [formatInline(difference.before), formatInline(difference.after)];
      return `    ${path}: ${paint('red', before)} → ${paint('green', after)}`;
    }
  }
}

/** What applying would do to one resource; nothing where it would stay as it is. */
function changeLines({ key, before, after }: DryRunChange<PublicKind>, paint: Paint): readonly string[] {
  const id = resourceId(key);
  if (after === undefined) {
    if (before === undefined) return [];
    return [paint('bold', `- ${id}`), ...wholeResource('-', essence(before.value), paint)];
  }
  if (before === undefined) return [paint('bold', `+ ${id}`), ...wholeResource('+', essence(after.value), paint)];
  const differences = differencesBetween(essence(before.value), essence(after.value));
  if (differences.length === 0) return [];
  return [paint('bold', `~ ${id}`), ...differences.map((difference) => differenceLine(difference, paint))];
}

function isPublicChange(change: DryRunChange): change is DryRunChange<PublicKind> {
  return isPublicKind(change.key.kind);
}

/** The question is what differs, whichever revision the file was made from. */
function withoutRevision({ resource }: InputResource): InputResource['resource'] {
  const { resourceVersion: _, ...metadata } = resource.metadata;
  return { ...resource, metadata };
}

/** diff -f FILE: applies to a dry run and shows where what is stored and what would be stored differ. */
export async function diffResources(call: Call, context: Context): Promise<Result> {
  const { resources, failures } = await readInput(call, context, { operation: 'create or apply' });
  if (failures.length > 0) return { errors: inputErrors(failures), status: STATUS.failed };
  const client = await context.connect();
  const dryRun = new DryRun(client.datastore, (notice) => context.tell(notice));
  const errors: string[] = [];
  for (const input of resources) {
    try {
      await dryRun.client.apply(withoutRevision(input));
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      errors.push(formatFailure(describeFailure(error, input.key, input.locate)));
    }
  }
  const paint = painter(context.colours);
  const changes = (await dryRun.changes()).filter(isPublicChange);
  const lines = changes.flatMap((change) => changeLines(change, paint));
  const status = lines.length === 0 ? STATUS.same : STATUS.different;
  return { output: lines.map(line), errors, status: errors.length === 0 ? status : STATUS.failed };
}
