import type { UnusedFelixParameter } from './felix-unused-parameters.js';

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  if (value instanceof Map) return value.size === 0 ? '' : JSON.stringify([...value]);
  if (Array.isArray(value)) return value.map(shown).join(', ');
  if (isFields(value) && 'protocol' in value && 'port' in value) {
    return `${String(value.protocol)}:${String(value.port)}`;
  }
  if (isFields(value) && 'first' in value && 'last' in value) return `${String(value.first)}:${String(value.last)}`;
  if (isFields(value) && Object.keys(value).length === 0) return '';
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}

/** Choices are kept in lower case, and written as the field has them: `one of Drop, Return, Accept, in any case`. */
function asInTheChoice(words: string, value: string): string {
  const choices = /^one of (.*)$/.exec(words)?.[1]?.split(', ') ?? [];
  return choices.find((choice) => choice.toLowerCase() === value.toLowerCase()) ?? value;
}

/** What holds where nobody sets a parameter, as people write it; empty when that is nothing. */
export function felixDefaultText(
  name: string,
  { form, default: initial }: Pick<UnusedFelixParameter, 'form' | 'default'>,
): string {
  if (typeof initial === 'string') return asInTheChoice(form.words, initial);
  if (typeof initial !== 'number') return shown(initial);
  if (form.words === 'a duration') return `${initial / 1000}s`;
  return name.endsWith('MarkMask') ? `0x${initial.toString(16)}` : shown(initial);
}
