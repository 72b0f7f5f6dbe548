import * as v from 'valibot';
import { CalicoError, visibleText } from '../base/errors.js';
import { tryParseAddress } from '../net/address.js';
import { explainBadPrefix, formatPrefix, isNetwork, networkOf, tryParsePrefix } from '../net/prefix.js';
import type { Selector } from '../selector/ast.js';
import { parseSelector } from '../selector/parser.js';

/** What is wrong with a value, and one imperative sentence that helps. */
export interface Complaint {
  readonly message: string;
  readonly hint?: string;
}

/** Between message and hint where both travel as one text through valibot. */
export const HINT_SEPARATOR = '\n';

/** A check that words its own refusal: `explain` returns what is wrong, or undefined. */
export function explained<T>(explain: (value: T) => string | Complaint | undefined): v.RawCheckAction<T> {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const complaint = explain(dataset.value);
    if (complaint === undefined) return;
    const { message, hint } = typeof complaint === 'string' ? { message: complaint, hint: undefined } : complaint;
    // A value that the message repeats may hold the separator.
    addIssue({ message: [message, ...(hint === undefined ? [] : [hint])].map(visibleText).join(HINT_SEPARATOR) });
  });
}

/** What a check demands, for those who cannot run it: the reference pages and the CRDs. */
export interface FieldFacts {
  /** `an IPv4 address`. */
  readonly words: string;
  /** Bounds of a whole number. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  /** Where the form is a pattern, in the syntax of RE2. */
  readonly pattern?: string;
}

/** Text with a form of its own. */
export function textField(words: string | FieldFacts, explain: (value: string) => string | Complaint | undefined) {
  return v.pipe(v.string(), explained(explain), v.metadata(typeof words === 'string' ? { words } : { ...words }));
}

/** A whole number within bounds, both inclusive. */
export function integer(minimum: number, maximum: number) {
  return v.pipe(
    v.number(),
    explained((value: number) =>
      Number.isInteger(value) && value >= minimum && value <= maximum
        ? undefined
        : `${value} is not a whole number from ${minimum} to ${maximum}`,
    ),
    v.metadata({ words: `a whole number from ${minimum} to ${maximum}`, minimum, maximum }),
  );
}

/** A list of so many entries or fewer. */
export function listUpTo<T>(limit: number, item: v.GenericSchema<unknown, T>) {
  return v.pipe(
    v.array(item),
    explained((list: T[]) => (list.length > limit ? `it has ${list.length} entries, at most ${limit} fit` : undefined)),
    v.metadata({ maxItems: limit }),
  );
}

/** An IPv4 or IPv6 address without prefix length. */
export function address(family?: 4 | 6) {
  return textField(family === undefined ? 'an IP address' : `an IPv${family} address`, (text) => {
    const parsed = tryParseAddress(text);
    if (parsed === undefined) return `"${text}" is not an IP address`;
    return family === undefined || parsed.family === family ? undefined : `"${text}" is not an IPv${family} address`;
  });
}

function explainBadCidr(text: string): string | undefined {
  if (!text.includes('/') && tryParseAddress(text) !== undefined) {
    return `"${text}" is not a CIDR: it has no prefix length`;
  }
  const why = explainBadPrefix(text);
  return why === undefined ? undefined : `"${text}" is not a CIDR: ${why}`;
}

/** A CIDR; host bits may be set. */
export function cidr(family?: 4 | 6) {
  return textField(family === undefined ? 'a CIDR' : `an IPv${family} CIDR`, (text) => {
    const why = explainBadCidr(text);
    if (why !== undefined || family === undefined) return why;
    return tryParsePrefix(text)?.address.family === family ? undefined : `"${text}" is not an IPv${family} CIDR`;
  });
}

/** A CIDR whose host bits are all zero. */
export function strictCidr() {
  return textField('a CIDR without bits past its prefix', (text) => {
    const why = explainBadCidr(text);
    if (why !== undefined) return why;
    const prefix = tryParsePrefix(text);
    if (prefix === undefined || isNetwork(prefix)) return undefined;
    return {
      message: `"${text}" is not a network: it has bits set past its prefix`,
      hint: `write ${formatPrefix(networkOf(prefix))}`,
    };
  });
}

/** A CIDR or a bare address. */
export function cidrOrAddress() {
  return textField('a CIDR or an IP address', (text) => {
    const why = explainBadPrefix(text);
    return why === undefined ? undefined : `"${text}" is neither a CIDR nor an IP address: ${why}`;
  });
}

/** A regular expression. */
export function pattern() {
  return textField('a regular expression', (text) => {
    try {
      new RegExp(text);
      return undefined;
    } catch {
      // The engine's own words are about its parser, not about what was written.
      return `"${text}" is not a regular expression`;
    }
  });
}

/** Names of interfaces, `*` for any text; whether it may stand alone. */
export function interfacePattern(mayBeAny: boolean) {
  const words = `the name of an interface, * for any text${mayBeAny ? '' : ', not alone'}`;
  return textField({ words, pattern: '^[a-zA-Z0-9_.*-]{1,15}$' }, (text) =>
    /^[a-zA-Z0-9_.*-]{1,15}$/.test(text) && (mayBeAny || text !== '*')
      ? undefined
      : `"${text}" is not the name of interfaces`,
  );
}

export function mac() {
  return textField('a MAC address', (text) =>
    /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text) ? undefined : `"${text}" is not a MAC address`,
  );
}

const SELECTOR_LENGTH_MAX = 1024;

function usesGlobal(parsed: Selector): boolean {
  switch (parsed.type) {
    case 'global':
      return true;
    case 'not':
      return usesGlobal(parsed.operand);
    case 'and':
    case 'or':
      return parsed.operands.some(usesGlobal);
    default:
      return false;
  }
}

function explainBadSelector(text: string, mayBeGlobal: boolean): string | undefined {
  if (text.length > SELECTOR_LENGTH_MAX) return `it has ${text.length} characters, at most ${SELECTOR_LENGTH_MAX} fit`;
  try {
    const parsed = parseSelector(text);
    if (!usesGlobal(parsed)) return undefined;
    if (!mayBeGlobal) return "global() may stand only in a rule's namespaceSelector";
    return parsed.type === 'global' ? undefined : 'global() stands alone: it cannot be combined';
  } catch (error) {
    if (error instanceof CalicoError) return error.message;
    throw error;
  }
}

/** A selector over labels: see `src/selector/`. */
export function selector() {
  return textField({ words: 'a selector', maxLength: SELECTOR_LENGTH_MAX }, (text) => explainBadSelector(text, false));
}

/** A selector over namespaces in a rule: the one place where `global()` may stand, alone. */
export function namespaceSelector() {
  return textField({ words: 'a selector, or global()', maxLength: SELECTOR_LENGTH_MAX }, (text) =>
    explainBadSelector(text, true),
  );
}

/** The name of a network interface: at most 15 characters (include/uapi/linux/if.h, IFNAMSIZ). */
export function interfaceName() {
  return textField({ words: 'the name of a network interface', pattern: '^[a-zA-Z0-9_.-]{1,15}$' }, (text) =>
    /^[a-zA-Z0-9_.-]{1,15}$/.test(text) ? undefined : `"${text}" is not the name of a network interface`,
  );
}

const AS_NUMBER_LIMIT = 2 ** 32;

function asNumberOf(input: number | string): number | undefined {
  if (typeof input === 'number')
    return Number.isInteger(input) && input >= 0 && input < AS_NUMBER_LIMIT ? input : undefined;
  if (/^\d{1,10}$/.test(input)) return asNumberOf(Number(input));
  const dotted = /^(\d{1,5})\.(\d{1,5})$/.exec(input);
  const high = Number(dotted?.[1]);
  const low = Number(dotted?.[2]);
  return dotted !== null && high < 65536 && low < 65536 ? high * 65536 + low : undefined;
}

/** An AS number, also as text or dotted (`1.10`); becomes a number. */
export function asNumber() {
  return v.pipe(
    v.union([v.number(), v.string()]),
    explained((input: number | string) => {
      if (asNumberOf(input) !== undefined) return undefined;
      // What was typed is gone: 1.10 is the same number as 1.1, and another AS.
      if (typeof input === 'number' && !Number.isInteger(input)) {
        return `${input} is a fraction, not an AS number: write high.low in quotes, such as "1.10"`;
      }
      return `"${input}" is not an AS number: write 0 to 4294967295 or high.low`;
    }),
    v.transform((input): number => asNumberOf(input) ?? 0),
    v.metadata({ words: 'an AS number, 0 to 4294967295 or high.low' }),
  );
}

/** One of several words, in any case; kept as typed. The empty text is one of them where it may stand for none. */
export function wordOf(words: readonly string[], mayBeEmpty = false) {
  const pattern = `(?i)^(${[...(mayBeEmpty ? [''] : []), ...words].join('|')})$`;
  return textField({ words: `one of ${words.join(', ')}, in any case`, pattern }, (text) =>
    (mayBeEmpty && text === '') || words.some((word) => word.toLowerCase() === text.toLowerCase())
      ? undefined
      : `"${text}" is not one of ${words.join(', ')}`,
  );
}

/** Go duration text: `90s`, `1m30s`, `500ms`. */
export function duration() {
  return textField({ words: 'a duration such as 90s or 1m30s' }, (text) =>
    durationMs(text) === undefined ? `"${text}" is not a duration such as 90s or 1m30s` : undefined,
  );
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of Go duration text, undefined when it is none. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|\u00b5s|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ns|us|\u00b5s|ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total;
}

/** A Kubernetes Secret's key; the secret's value never passes through here. */
export function secretReference() {
  return v.strictObject({ secretKeyRef: v.exactOptional(v.strictObject({ name: v.string(), key: v.string() })) });
}
