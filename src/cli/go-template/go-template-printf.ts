import {
  exponentText,
  formatFloat,
  formatValue,
  isList,
  isMap,
  sortedKeys,
  typeName,
  type Value,
} from './go-template-values.js';

interface Directive {
  readonly verb: string;
  readonly isMinus: boolean;
  readonly isPlus: boolean;
  readonly isSharp: boolean;
  readonly isSpace: boolean;
  readonly isZero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** Go refuses more. */
const WIDTH_LIMIT = 1_000_000;
const DIRECTIVE = /%([-+# 0]*)(\*|\d+)?(?:(\.)(\*|\d+)?)?(.)?/gsu;

/** Left or right, with zeros or blanks; zeros go behind a sign. */
function pad(text: string, { width = 0, isMinus, isZero }: Directive, mayBeZero = false): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (isMinus) return text + ' '.repeat(missing);
  if (!isZero || !mayBeZero) return ' '.repeat(missing) + text;
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function signed(text: string, isNegative: boolean, { isPlus, isSpace }: Directive): string {
  if (isNegative) return `-${text}`;
  return isPlus ? `+${text}` : isSpace ? ` ${text}` : text;
}

function isUpper(verb: string): boolean {
  return verb !== verb.toLowerCase();
}

const BASES: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  b: [2, '0b'],
  d: [10, ''],
  o: [8, '0'],
  O: [8, ''],
  x: [16, '0x'],
  X: [16, '0X'],
};

function quoteText(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00([01][\da-f])/g, String.raw`\x$1`);
}

function quoteCharacter(code: bigint): string {
  const character = characterOf(code);
  if (character === "'") return String.raw`'\''`;
  return character === '"' ? `'"'` : `'${quoteText(character).slice(1, -1)}'`;
}

function characterOf(code: bigint): string {
  return code >= 0n && code <= 0x10ffffn ? String.fromCodePoint(Number(code)) : '\ufffd';
}

function formatInteger(value: bigint, directive: Directive): string | undefined {
  const { verb, precision, isSharp } = directive;
  if (verb === 'c') return pad(characterOf(value), directive);
  if (verb === 'q') return pad(quoteCharacter(value), directive);
  if (verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, directive);
  const base = BASES[verb === 'v' ? 'd' : verb];
  if (base === undefined) return undefined;
  const [radix, prefix] = base;
  const magnitude = (value < 0n ? -value : value).toString(radix);
  const digits = (isUpper(verb) ? magnitude.toUpperCase() : magnitude).padStart(precision ?? 0, '0');
  const lead = verb === 'O' ? '0o' : isSharp ? prefix : '';
  return pad(signed(lead + digits, value < 0n, directive), directive, precision === undefined);
}

/** Two digits at least in the exponent. */
function withExponent(text: string): string {
  return text.replace(/e([-+])(\d+)$/, (_, sign: string, digits: string) => exponentText(Number(`${sign}${digits}`)));
}

/** The shorter of %e and %f, without zeros at the end. */
function shortestForm(magnitude: number, precision: number | undefined): string {
  if (precision === undefined) return formatFloat(magnitude);
  const digits = Math.min(Math.max(precision, 1), 100);
  const exponent = magnitude === 0 ? 0 : Number(magnitude.toExponential(digits - 1).split('e')[1]);
  if (exponent < -4 || exponent >= digits) {
    return withExponent(magnitude.toExponential(digits - 1).replace(/\.?0+e/, 'e'));
  }
  const fixed = magnitude.toFixed(Math.min(Math.max(digits - 1 - exponent, 0), 100));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

function formatFloating(value: number, directive: Directive): string | undefined {
  const { verb, precision } = directive;
  const magnitude = Math.abs(value);
  const places = Math.min(precision ?? 6, 100);
  let text: string;
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? 'NaN' : 'Inf';
  else if (verb === 'e' || verb === 'E') text = withExponent(magnitude.toExponential(places));
  else if (verb === 'f' || verb === 'F') text = magnitude.toFixed(places);
  else if (verb === 'g' || verb === 'G' || verb === 'v') text = shortestForm(magnitude, precision);
  else return undefined;
  const isNegative = value < 0 || Object.is(value, -0);
  return pad(signed(isUpper(verb) ? text.toUpperCase() : text, isNegative, directive), directive, true);
}

function hexText(text: string, { verb, isSharp, isSpace }: Directive): string {
  const bytes = [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0'));
  const lead = isSharp && bytes.length > 0 ? '0x' : '';
  const hex = lead + bytes.join(isSpace ? (isSharp ? ' 0x' : ' ') : '');
  return isUpper(verb) ? hex.toUpperCase() : hex;
}

function formatText(text: string, directive: Directive): string | undefined {
  const { verb, precision, isSharp } = directive;
  const cut = precision === undefined ? text : Array.from(text).slice(0, precision).join('');
  if (verb === 's' || verb === 'v') return pad(verb === 'v' && isSharp ? quoteText(cut) : cut, directive, true);
  if (verb === 'q') return pad(isSharp && !cut.includes('`') ? `\`${cut}\`` : quoteText(cut), directive, true);
  return verb === 'x' || verb === 'X' ? pad(hexText(cut, directive), directive, true) : undefined;
}

/** A verb that does not fit, as Go says it within the text. */
function misfit(value: Value, { verb }: Directive): string {
  if (value === undefined || value === null) return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeName(value)}=${formatValue(value)})`;
}

function formatScalar(value: Value, directive: Directive): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return directive.verb === 'v' || directive.verb === 't' ? pad(String(value), directive) : undefined;
    case 'bigint':
      return formatInteger(value, directive);
    case 'number':
      return formatFloating(value, directive);
    case 'string':
      return formatText(value, directive);
    default:
      return directive.verb === 'v' ? pad('<nil>', directive) : undefined;
  }
}

function formatOne(value: Value, directive: Directive): string {
  if (directive.verb === 'T') return pad(typeName(value), directive);
  if (isList(value)) return `[${value.map((item) => formatOne(item, directive)).join(' ')}]`;
  if (!isMap(value)) return formatScalar(value, directive) ?? misfit(value, directive);
  const entries = sortedKeys(value).map(
    (key) => `${formatOne(key, directive)}:${formatOne(value.get(key), directive)}`,
  );
  return `map[${entries.join(' ')}]`;
}

/** Hands out the arguments of one call in turn. */
class Arguments {
  readonly #values: readonly Value[];
  #next = 0;

  constructor(values: readonly Value[]) {
    this.#values = values;
  }

  take(): { readonly value: Value } | undefined {
    if (this.#next >= this.#values.length) return undefined;
    this.#next += 1;
    return { value: this.#values[this.#next - 1] };
  }

  get rest(): readonly Value[] {
    return this.#values.slice(this.#next);
  }
}

/** A width or precision: digits, or `*` for the next argument. NaN when it is none that Go takes. */
function size(text: string | undefined, values: Arguments): number | undefined {
  if (text === undefined) return undefined;
  const taken = text === '*' ? values.take()?.value : BigInt(text);
  if (typeof taken !== 'bigint' || taken > WIDTH_LIMIT || taken < -WIDTH_LIMIT) return Number.NaN;
  return Number(taken);
}

/** What a size is good for: undefined for one that Go does not take. */
function usable(wanted: number | undefined): number | undefined {
  return wanted === undefined || Number.isNaN(wanted) ? undefined : wanted;
}

function formatDirective(parts: readonly (string | undefined)[], values: Arguments): string {
  const [, flags = '', widthText, point, precisionText, verb] = parts;
  const width = size(widthText, values);
  const precision = point === undefined ? undefined : (size(precisionText, values) ?? 0);
  const complaints = `${Number.isNaN(width) ? '%!(BADWIDTH)' : ''}${Number.isNaN(precision) ? '%!(BADPREC)' : ''}`;
  if (verb === undefined) return `${complaints}%!(NOVERB)`;
  if (verb === '%') return `${complaints}%`;
  const taken = values.take();
  if (taken === undefined) return `${complaints}%!${verb}(MISSING)`;
  const [wantedWidth, wantedPrecision] = [usable(width), usable(precision)];
  const isMinus = flags.includes('-') || (wantedWidth ?? 0) < 0;
  const directive: Directive = {
    verb,
    isMinus,
    isPlus: flags.includes('+'),
    isSharp: flags.includes('#'),
    isSpace: flags.includes(' '),
    isZero: flags.includes('0') && !isMinus,
    width: wantedWidth === undefined ? undefined : Math.abs(wantedWidth),
    precision: wantedPrecision === undefined || wantedPrecision < 0 ? undefined : wantedPrecision,
  };
  return complaints + formatOne(taken.value, directive);
}

/** Go's Sprintf over these values; argument numbers (`%[1]d`) are not taken. */
export function formatPrintf(format: string, values: readonly Value[]): string {
  const rest = new Arguments(values);
  const text = format.replaceAll(DIRECTIVE, (...found: unknown[]) =>
    formatDirective(found.slice(0, 6) as (string | undefined)[], rest),
  );
  if (rest.rest.length === 0) return text;
  const extra = rest.rest.map((value) =>
    value === undefined || value === null ? '<nil>' : `${typeName(value)}=${formatValue(value)}`,
  );
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}
