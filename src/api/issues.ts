import type * as v from 'valibot';
import type { Issue } from '../base/errors.js';
import { HINT_SEPARATOR } from './fields.js';

/** An issue of a rule between fields. */
export function ruleIssue(path: string, message: string, hint?: string): Issue {
  return { code: 'rule', path, message, ...(hint === undefined ? {} : { hint }) };
}

/** Adds a step to a path: `spec.ingress`, 2, `ports` → `spec.ingress[2].ports`; odd field names are quoted. */
export function joinPath(path: string, step: string | number): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  if (!/^[A-Za-z_$][\w-]*$/.test(step)) return `${path}["${step}"]`;
  return path === '' ? step : `${path}.${step}`;
}

/** Number of single-letter edits (insert, delete, replace, swap) between two words. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The word that was probably meant, if one is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = candidate.toLowerCase() === lower ? 0 : editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"?`, or nothing. */
export function suggestion(word: string, candidates: readonly string[]): { readonly hint?: string } {
  const meant = nearest(word, candidates);
  return meant === undefined ? {} : { hint: `did you mean "${meant}"?` };
}

export function unknownField(path: string, name: string, candidates: readonly string[]): Issue {
  const message = `field in document is not recognized or is in the wrong location: ${name}`;
  return { code: 'unknown_field', path, message, ...suggestion(name, candidates) };
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  union: 'a number or text',
  record: 'a set of fields',
  strict_object: 'a set of fields',
  loose_object: 'a set of fields',
};

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a set of fields';
  return typeof value === 'string' ? `"${value}"` : String(value);
}

function choiceIssue(issue: v.BaseIssue<unknown>, path: string): Issue {
  const choices = [...(issue.expected ?? '').matchAll(/"([^"]*)"|\b(\d+)\b/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  const message = `${show(issue.input)} is not one of ${choices.join(', ')}`;
  const hints = typeof issue.input === 'string' ? suggestion(issue.input, choices) : {};
  return { code: 'choice', path, message, ...hints };
}

/** What valibot found, in our words. `path` is where: the missing field itself when one is missing. */
export function describeSchemaIssue(issue: v.BaseIssue<unknown>, path: string): Issue {
  if (issue.kind !== 'schema') {
    const [message = '', hint] = issue.message.split(HINT_SEPARATOR);
    return { code: 'value', path, message, ...(hint === undefined ? {} : { hint }) };
  }
  if (issue.input === undefined) return { code: 'missing', path, message: 'it is missing' };
  if (issue.type === 'picklist') return choiceIssue(issue, path);
  const wanted = TYPE_WORDS[issue.type] ?? `of type ${issue.type}`;
  return { code: 'type', path, message: `${show(issue.input)} is not ${wanted}`, ...quotesHint(issue) };
}

/** A value of the wrong type may only be written in the wrong way. */
function quotesHint({ type, input }: v.BaseIssue<unknown>): Pick<Issue, 'hint'> {
  if (type === 'string') return typeof input === 'object' ? {} : { hint: 'put it in quotes' };
  const isMeant =
    typeof input === 'string' &&
    ((type === 'boolean' && /^(?:true|false)$/.test(input)) || (type === 'number' && /^-?\d+(?:\.\d+)?$/.test(input)));
  return isMeant ? { hint: 'take the quotes away' } : {};
}

/** One line: `spec.cidr: "10.0.0.0/33" is not a CIDR: the prefix is at most 32`. */
export function formatIssue(issue: Issue): string {
  return issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`;
}
