/** Words and shapes that some reader of YAML takes for something else than text: 1.1's truths, numbers, times, dates. */
const AMBIGUOUS =
  /^(~|null|true|false|yes|no|on|off|y|n|[-+]?[\d_,.:]*(e[-+]?\d+)?|0[xob][\da-f_]+|[-+]?\.(inf|nan)|\d{4}-\d\d?-\d\d?.*)$/i;
/** Begins with nothing that means something in YAML, and holds only what may stand in plain text. */
const PLAIN = /^[A-Za-z0-9_/.(+^$\\][\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe]*$/;
/** A comment or a key would begin, or blanks at the end would be lost. */
const BROKEN = /: | #|[: ]$/;

/** Field names and most values come again and again. */
const known = new Map<string, string>();
const KNOWN_LIMIT = 10_000;

function formatText(text: string): string {
  let formatted = known.get(text);
  if (formatted === undefined) {
    formatted = quoteIfNeeded(text);
    if (known.size < KNOWN_LIMIT) known.set(text, formatted);
  }
  return formatted;
}

function quoteIfNeeded(text: string): string {
  const isPlain = PLAIN.test(text) && !AMBIGUOUS.test(text) && !BROKEN.test(text);
  // YAML reads JSON's texts, but for three characters that it takes for line ends within them.
  return isPlain
    ? text
    : JSON.stringify(text).replace(
        /[\u0085\u2028\u2029]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
}

function formatScalar(value: unknown): string {
  if (typeof value === 'string') return formatText(value);
  if (Array.isArray(value)) return '[]';
  return typeof value === 'object' && value !== null ? '{}' : JSON.stringify(value);
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function addItems(items: readonly unknown[], indent: string, lines: string[]): void {
  for (const item of items) {
    if (isEmpty(item)) lines.push(`${indent}- ${formatScalar(item)}`);
    else {
      const first = lines.length;
      add(item, `${indent}  `, lines);
      lines[first] = `${indent}- ${(lines[first] ?? '').slice(indent.length + 2)}`;
    }
  }
}

function addFields(fields: Readonly<Record<string, unknown>>, indent: string, lines: string[]): void {
  for (const name of Object.keys(fields).toSorted()) {
    const value = fields[name];
    const key = `${indent}${formatText(name)}:`;
    if (value === undefined) continue;
    if (isEmpty(value)) lines.push(`${key} ${formatScalar(value)}`);
    else {
      lines.push(key);
      add(value, Array.isArray(value) ? indent : `${indent}  `, lines);
    }
  }
}

function add(value: unknown, indent: string, lines: string[]): void {
  if (Array.isArray(value)) addItems(value, indent, lines);
  else addFields(value as Record<string, unknown>, indent, lines);
}

/**
 * A JSON value as YAML: keys in alphabetical order, two blanks a level, lists at the level of their key, texts plain where every reader takes them for texts.
 * A fraction of a library's time, and nothing to load: `get -o yaml` of 1,000 policies is budgeted.
 */
export function formatYaml(value: unknown): string {
  if (isEmpty(value)) return `${formatScalar(value)}\n`;
  const lines: string[] = [];
  add(value, '', lines);
  return `${lines.join('\n')}\n`;
}
