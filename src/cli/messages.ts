import { describeKey } from '../api/keys.js';
import type { ResourceKey } from '../api/resource-update.js';
import {
  AlreadyExistsError,
  CalicoError,
  ConflictError,
  formatError,
  type Issue,
  NotFoundError,
  ValidationError,
  visibleText,
} from '../base/errors.js';
import { resourceId } from '../client/client.js';
import { isUnreadable } from '../client/unreadable.js';
import { type Call, flag } from './command.js';

/** A sentence and what to do about it. */
export interface Failure {
  readonly text: string;
  readonly hint?: string;
}

/** Why the rest was not tried: somebody pressed Ctrl-C. */
export const INTERRUPTED: Failure = { text: 'interrupted' };

function withHint(text: string, hint: string | undefined): Failure {
  return hint === undefined ? { text: visibleText(text) } : { text: visibleText(text), hint: visibleText(hint) };
}

/** Finds the place of a field in what was read: `pool.yaml:7:9`. */
export type Locate = (issue: Issue) => string;

/** One issue of a document with its place: `pool.yaml:7:9: IPPool "p1": spec.cidr: … is not a CIDR`. */
export function describeIssue(issue: Issue, resource: string | undefined, locate: Locate): Failure {
  const parts = [locate(issue), resource, issue.path, issue.message].filter(
    (part) => part !== undefined && part !== '',
  );
  return withHint(parts.join(': '), issue.hint);
}

/** A failed write or read of one object, in the operator's words. */
export function describeFailure(error: unknown, key: ResourceKey, locate?: Locate): Failure {
  const id = resourceId(key);
  if (error instanceof NotFoundError)
    return withHint(`resource does not exist: ${id} with error: ${error.message}`, error.hint);
  if (error instanceof AlreadyExistsError) {
    return withHint(`resource already exists: ${id} with error: ${error.message}`, error.hint);
  }
  if (error instanceof ConflictError) return withHint(`update conflict: ${id}`, error.hint);
  // What is wrong with what is stored has no place in a file.
  const [issue] = error instanceof ValidationError && !isUnreadable(error) ? error.issues : [];
  if (issue !== undefined && locate !== undefined) return describeIssue(issue, describeKey(key), locate);
  if (error instanceof CalicoError && error.code === 'ERR_CALI_DATASTORE_UNAUTHORIZED') {
    return withHint(`connection is unauthorized: ${error.message}`, error.hint);
  }
  if (error instanceof CalicoError) return withHint(error.message, error.hint);
  return { text: formatError(error) };
}

/** As {@link describeFailure}, one for each thing that is wrong. */
export function describeFailures(error: unknown, key: ResourceKey): readonly Failure[] {
  if (!(error instanceof ValidationError) || error.issues.length === 0 || isUnreadable(error))
    return [describeFailure(error, key)];
  return error.issues.map((issue) => {
    const parts = [describeKey(key), issue.path, issue.message].filter((part) => part !== '');
    return withHint(parts.join(': '), issue.hint);
  });
}

/** Hints on their own lines, below the sentence they belong to. */
export function formatFailure({ text, hint }: Failure): string {
  return hint === undefined ? text : `${text}\n  hint: ${hint}`;
}

export interface WriteCounts {
  readonly total: number;
  /** Undefined when kinds differ. */
  readonly kind?: string;
  /** Nothing was written: all of it is what would have been. */
  readonly isDryRun?: boolean;
}

/** Kinds differ or not: the messages say the kind only when there is one. */
export function countsOf(keys: readonly ResourceKey[], call: Call): WriteCounts {
  const kinds = new Set(keys.map(({ kind }) => kind));
  const [kind] = kinds;
  const common = { total: keys.length, isDryRun: flag(call, 'dryRun') };
  return kinds.size === 1 && kind !== undefined ? { ...common, kind } : common;
}

function quoted(kind: string | undefined): string {
  return kind === undefined ? '' : `'${kind}' `;
}

/** How a sentence about what was done begins. */
export function doneLead(isDryRun: boolean): string {
  return isDryRun ? 'Would have' : 'Successfully';
}

export function successMessage(done: string, { total, kind, isDryRun }: WriteCounts): string {
  return `${doneLead(isDryRun === true)} ${done} ${total} ${quoted(kind)}resource(s)`;
}

export function partialMessage(done: string, handled: number, { total, kind, isDryRun }: WriteCounts): string {
  const lead = isDryRun === true ? 'Would have' : 'Partial success:';
  return `${lead} ${done} the first ${handled} out of ${total} ${quoted(kind)}resources:`;
}

/** Several failures in one line, their hints below; what all that were under way heard, such as a datastore gone, once. */
export function joinFailures(lead: string, failures: readonly Failure[]): string {
  const hints = [...new Set(failures.map(({ hint }) => hint).filter((hint) => hint !== undefined))];
  const texts = [...new Set(failures.map(({ text }) => text))];
  return [`${lead}: [${texts.join(' ')}]`, ...hints.map((hint) => `  hint: ${hint}`)].join('\n');
}

export function allFailedMessage(verb: string, failures: readonly Failure[], { total, kind }: WriteCounts): string {
  const lead =
    total === 1 ? `failed to ${verb} ${quoted(kind)}resource` : `failed to ${verb} any ${quoted(kind)}resources`;
  return joinFailures(lead, failures);
}
