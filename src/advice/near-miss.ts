import { describeKey } from '../api/keys.js';
import type { EntityRule } from '../api/rule.js';
import { joinPath } from '../api/issues.js';
import type { Selector } from '../selector/ast.js';
import { parseSelector } from '../selector/parser.js';
import { NAMESPACE_PREFIX, SERVICE_ACCOUNT_PREFIX } from '../selector/translate.js';
import type { Advice } from './advice.js';
import type { Cluster, PolicyFact } from './cluster.js';

/** A label that a selector asks for, and the values that it compares with. */
interface Question {
  readonly label: string;
  readonly values: readonly string[];
}

function questionsOf(selector: Selector): readonly Question[] {
  switch (selector.type) {
    case 'all':
    case 'global':
      return [];
    case 'and':
    case 'or':
      return selector.operands.flatMap(questionsOf);
    case 'not':
      return questionsOf(selector.operand);
    case 'equal':
    case 'not-equal':
      return [{ label: selector.label, values: [selector.value] }];
    case 'in':
    case 'not-in':
      return [selector];
    // A part of a value is no value.
    case 'has':
    case 'text':
      return [{ label: selector.label, values: [] }];
  }
}

/** Shorter words are near to everything; one of two letters may still be one of three that lost one. */
const SHORTEST = 3;

function isTooShort(typed: string, known: string): boolean {
  return Math.max(typed.length, known.length) < SHORTEST || Math.min(typed.length, known.length) < SHORTEST - 1;
}

/** One letter typed wrong, left out, too many, or two swapped. Numbers are counted, not mistyped: `net3` is not `net4`. */
export function isOneLetterOff(typed: string, known: string): boolean {
  if (typed === known || isTooShort(typed, known)) return false;
  const digitless = (text: string): string => text.replaceAll(/\d+/g, '0');
  if (digitless(typed) === digitless(known)) return false;
  let start = 0;
  while (start < typed.length && typed[start] === known[start]) start += 1;
  let end = 0;
  const most = Math.min(typed.length, known.length) - start;
  while (end < most && typed.at(-1 - end) === known.at(-1 - end)) end += 1;
  const [a, b] = [typed.slice(start, typed.length - end), known.slice(start, known.length - end)];
  return Math.max(a.length, b.length) === 1 || (a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0]);
}

interface SelectorField {
  readonly path: string;
  readonly text: string | undefined;
  /** Before the labels that it means. */
  readonly prefix: string;
}

function fieldsOfSide(path: string, side: EntityRule | undefined): readonly SelectorField[] {
  if (side === undefined) return [];
  return [
    { path: `${path}.selector`, text: side.selector, prefix: '' },
    { path: `${path}.notSelector`, text: side.notSelector, prefix: '' },
    { path: `${path}.namespaceSelector`, text: side.namespaceSelector, prefix: NAMESPACE_PREFIX },
    { path: `${path}.serviceAccounts.selector`, text: side.serviceAccounts?.selector, prefix: SERVICE_ACCOUNT_PREFIX },
  ];
}

function selectorFields({ value }: PolicyFact): readonly SelectorField[] {
  if (value === undefined) return [];
  const { spec } = value;
  const rules = (['ingress', 'egress'] as const).flatMap((direction) =>
    (spec[direction] ?? []).flatMap((rule, index) => {
      const path = joinPath(`spec.${direction}`, index);
      return [...fieldsOfSide(`${path}.source`, rule.source), ...fieldsOfSide(`${path}.destination`, rule.destination)];
    }),
  );
  const namespaces = 'namespaceSelector' in spec ? spec.namespaceSelector : undefined;
  return [
    { path: 'spec.selector', text: spec.selector, prefix: '' },
    { path: 'spec.namespaceSelector', text: namespaces, prefix: NAMESPACE_PREFIX },
    { path: 'spec.serviceAccountSelector', text: spec.serviceAccountSelector, prefix: SERVICE_ACCOUNT_PREFIX },
    ...rules,
  ];
}

/** Labels and values that nothing has, one letter off some that something has. */
class Dictionary {
  readonly #values: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(cluster: Cluster) {
    this.#values = cluster.labels();
  }

  /** `label "ap" is on nothing: did you mean "app"?`, split into sentence and hint. */
  misses({ label, values }: Question, prefix: string): readonly Pick<Advice, 'message' | 'hint'>[] {
    const known = this.#values.get(prefix + label);
    if (known === undefined) {
      const labels = [...this.#values.keys()].filter((each) => each.startsWith(prefix));
      const meant = labels.map((each) => each.slice(prefix.length)).find((each) => isOneLetterOff(label, each));
      if (meant === undefined) return [];
      return [{ message: `nothing has a label "${label}"`, hint: `did you mean "${meant}"?` }];
    }
    return values.flatMap((value) => {
      if (known.has(value)) return [];
      const meant = [...known].find((each) => isOneLetterOff(value, each));
      if (meant === undefined) return [];
      return [{ message: `nothing has "${value}" as its label "${label}"`, hint: `did you mean "${meant}"?` }];
    });
  }
}

/** Words in the selectors of policies that look mistyped: nothing has that label or value, and something has one that is a letter off. */
export function nearMisses(written: readonly PolicyFact[], after: Cluster): readonly Advice[] {
  const dictionary = new Dictionary(after);
  return written.flatMap((policy) =>
    selectorFields(policy).flatMap(({ path, text = '', prefix }) =>
      questionsOf(parseSelector(text)).flatMap((question) =>
        dictionary.misses(question, prefix).map(({ message, ...hint }) => ({
          type: 'near-miss' as const,
          subject: describeKey(policy.key),
          message: `${path}: ${message}`,
          ...hint,
        })),
      ),
    ),
  );
}
