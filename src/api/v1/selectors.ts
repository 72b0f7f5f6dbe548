import { type Complaint, textField } from '../fields.js';

const QUOTED = /("[^"]*"|'[^']*')/;
const NAMESPACE_LABEL = 'projectcalico.org/namespace';
const OLD_NAMESPACE_LABEL = 'calico/k8s_ns';
const OLD_NAMESPACE_LABEL_IN_TEXT = /(?<![\w./-])calico\/k8s_ns(?![\w./-])/g;

/** A label's key today. */
export function convertLabelKey(key: string): string {
  return key === OLD_NAMESPACE_LABEL ? NAMESPACE_LABEL : key;
}

export function convertLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [convertLabelKey(key), value]));
}

/** A selector with the labels of today; what stands in quotes is a value and stays. */
export function convertSelector(text: string): string {
  return text
    .split(QUOTED)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(OLD_NAMESPACE_LABEL_IN_TEXT, NAMESPACE_LABEL)))
    .join('');
}

function tagSelector(tag: string): string {
  return `${tag} == ''`;
}

/**
 * A selector and a tag in one: a tag is a label without value.
 *
 * @param operator `&&` where both must hold; `||` where either excludes: `notSelector` and `notTag` each excluded by themselves
 */
export function mergeTag(
  selector: string | undefined,
  tag: string | undefined,
  operator: '&&' | '||',
): string | undefined {
  const converted = selector === undefined || selector === '' ? undefined : convertSelector(selector);
  if (tag === undefined || tag === '') return converted;
  return converted === undefined ? tagSelector(tag) : `(${converted}) ${operator} ${tagSelector(tag)}`;
}

function explainBadTag(text: string): Complaint | undefined {
  return /^[\w.-]{1,63}$/.test(text)
    ? undefined
    : { message: `"${text}" is not a tag: letters, digits, "_", "." and "-", at most 63` };
}

/** A tag: what profiles put on endpoints, and rules select by. */
export function tag() {
  return textField('a tag', explainBadTag);
}
