import type { Outline } from './schema-outline.js';

const FORMS: Readonly<Record<Outline['form'], string>> = {
  fields: 'fields',
  list: 'list',
  map: 'map of text',
  text: 'text',
  number: 'number',
  truth: 'true or false',
  'number or text': 'number or text',
  anything: 'anything',
};

/**
 * What a value may be, in words: `list of a CIDR, at most 256`.
 *
 * @param quote how to write each of a few choices
 */
export function outlineText(outline: Outline, quote: (choice: string) => string = (choice) => choice): string {
  const { form, choices, facts, item } = outline;
  if (form === 'list' && item !== undefined) {
    const limit = facts.maxItems === undefined ? '' : `, at most ${facts.maxItems}`;
    return `list of ${item.form === 'fields' ? 'fields' : outlineText(item, quote)}${limit}`;
  }
  if (choices !== undefined) return choices.map((choice) => quote(String(choice))).join(', ');
  const length = facts.maxLength === undefined ? '' : `, at most ${facts.maxLength} characters`;
  return `${facts.words ?? FORMS[form]}${length}`;
}
