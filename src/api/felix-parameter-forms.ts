import * as v from 'valibot';
import { tryParseAddress } from '../net/address.js';
import { tryParsePrefix } from '../net/prefix.js';
import {
  cidr,
  duration,
  durationMs,
  explained,
  integer,
  pattern as patternField,
  textField,
  wordOf,
} from './fields.js';
import type { SpecSchema } from './meta.js';

/**
 * How one type of parameter is written. Each answers undefined for what is none of its values: then the default holds, and the
 * agent says so.
 */
export interface ParameterForm<T> {
  /** For documentation and messages: `a duration`, `one of Drop, Return, Accept`. */
  readonly words: string;
  /** Environment and file: text. */
  readonly parseText: (text: string) => T | undefined;
  /** Field of a FelixConfiguration, as JSON. */
  readonly parseField: (value: unknown) => T | undefined;
  /** What `none` stands for in environment and file; without it, `none` is refused. */
  readonly none?: T;
  /** What people may type into the field. */
  readonly field: v.GenericSchema;
}

export const truth: ParameterForm<boolean> = {
  words: 'true or false',
  parseText(text) {
    const lower = text.toLowerCase();
    if (['true', '1', 'yes', 'y', 't'].includes(lower)) return true;
    return ['false', '0', 'no', 'n', 'f'].includes(lower) ? false : undefined;
  },
  parseField: (value) => (typeof value === 'boolean' ? value : undefined),
  none: false,
  field: v.boolean(),
};

export const text: ParameterForm<string> = {
  words: 'text',
  parseText: (value) => value,
  parseField: (value) => (typeof value === 'string' ? value : undefined),
  none: '',
  field: v.string(),
};

export function whole(minimum: number, maximum: number): ParameterForm<number> {
  const within = (value: number) =>
    Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined;
  return {
    words: `a whole number from ${minimum} to ${maximum}`,
    parseText: (value) => (/^-?(\d+|0x[0-9a-f]+)$/i.test(value) ? within(Number(value)) : undefined),
    parseField: (value) => (typeof value === 'number' ? within(value) : undefined),
    ...(minimum <= 0 ? { none: 0 } : {}),
    field: integer(minimum, maximum),
  };
}

/** Bits of a packet's mark that are ours: `0xffff0000`; at least one. */
export const mark: ParameterForm<number> = { ...whole(1, 0xffffffff), words: 'a mark mask such as 0xffff0000' };

/** In milliseconds. Environment and file give a decimal number of `unitMs`, fields Go duration text. */
export function span(unitMs: 1 | 1000): ParameterForm<number> {
  return {
    words: 'a duration',
    parseText: (value) => (/^\d+(\.\d+)?$/.test(value) ? Number(value) * unitMs : undefined),
    parseField: (value) => (typeof value === 'string' ? durationMs(value) : undefined),
    none: 0,
    field: duration(),
  };
}

/** One of several words, in any case; the value is the word in lower case. */
export function choice<const W extends string>(...words: readonly W[]): ParameterForm<Lowercase<W>> {
  const find = (value: string) => words.find((word) => word.toLowerCase() === value.toLowerCase())?.toLowerCase();
  return {
    words: `one of ${words.join(', ')}`,
    parseText: (value) => find(value) as Lowercase<W> | undefined,
    parseField: (value) => (typeof value === 'string' ? (find(value) as Lowercase<W> | undefined) : undefined),
    field: wordOf(words),
  };
}

/** The same, where a field without text means the first of the words: other implementations store it so. */
export function choiceOrEmpty<const W extends string>(...words: readonly [W, ...W[]]): ParameterForm<Lowercase<W>> {
  const form = choice(...words);
  return {
    ...form,
    parseField: (value) => form.parseField(value === '' ? words[0] : value),
    field: wordOf(words, true),
  };
}

export type Severity = 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'fatal' | 'none';

/** Level of a log; `none` and the empty text turn it off. */
export const severity: ParameterForm<Severity> = {
  ...choice('Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'None'),
  none: 'none',
};

/** The entries of a comma list. */
export function listOf(value: string): readonly string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Comma list of texts; fields hold the same text. */
export const textList: ParameterForm<readonly string[]> = {
  words: 'a comma list',
  parseText: listOf,
  parseField: (value) => (typeof value === 'string' ? listOf(value) : undefined),
  none: [],
  field: v.string(),
};

function validRegex(value: string): string | undefined {
  try {
    new RegExp(value);
    return value;
  } catch {
    // Not a pattern: the caller says so.
    return undefined;
  }
}

export const pattern: ParameterForm<string> = {
  words: 'a regular expression',
  parseText: validRegex,
  parseField: (value) => (typeof value === 'string' ? validRegex(value) : undefined),
  none: '',
  field: patternField(),
};

/** An address of the family; the empty text means none. */
export function addressOf(family: 4 | 6): ParameterForm<string> {
  const parse = (value: string) => (value === '' || tryParseAddress(value)?.family === family ? value : undefined);
  return {
    words: `an IPv${family} address`,
    parseText: parse,
    parseField: (value) => (typeof value === 'string' ? parse(value) : undefined),
    none: '',
    field: textField(`an IPv${family} address`, (value) =>
      parse(value) === undefined ? `"${value}" is not an IPv${family} address` : undefined,
    ),
  };
}

export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

function parseSpan(value: string): PortSpan | undefined {
  const [, first, last] = /^(\d{1,5}):(\d{1,5})$/.exec(value) ?? [];
  const range = { first: Number(first), last: Number(last) };
  return first !== undefined && range.first >= 1 && range.first <= range.last && range.last <= 65535
    ? range
    : undefined;
}

/** A range of ports, or undefined for all. */
export const portSpan: ParameterForm<PortSpan | null> = {
  words: 'a port range such as 32768:65535',
  parseText: parseSpan,
  parseField: (value) =>
    typeof value === 'number'
      ? parseSpan(`${value}:${value}`)
      : typeof value === 'string'
        ? parseSpan(value)
        : undefined,
  none: null,
  field: v.pipe(
    v.union([v.number(), v.string()]),
    explained((value: number | string) =>
      parseSpan(typeof value === 'number' ? `${value}:${value}` : value) === undefined
        ? `"${value}" is not a port range such as 32768:65535`
        : undefined,
    ),
    v.metadata({ words: 'a port range such as 32768:65535' }),
  ),
};

/** A port of the host that policy never closes. */
export interface FailsafePort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
  /** Only for this peer network. */
  readonly net?: string;
}

function failsafe(protocol: unknown, net: unknown, port: unknown): FailsafePort | undefined {
  const lower = typeof protocol === 'string' ? protocol.toLowerCase() : 'tcp';
  if (lower !== 'tcp' && lower !== 'udp' && lower !== 'sctp') return undefined;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) return undefined;
  if (net === undefined || net === '') return { protocol: lower, port };
  return typeof net === 'string' && tryParsePrefix(net) !== undefined ? { protocol: lower, port, net } : undefined;
}

/** `tcp:22`, `22` (TCP), `tcp:192.0.2.0/24:22`, `tcp:[2001:db8::/32]:22`. */
function parseFailsafe(entry: string): FailsafePort | undefined {
  const match = /^(?:([a-z]+):)?(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/i.exec(entry);
  return match === null ? undefined : failsafe(match[1], match[2] ?? match[3], Number(match[4]));
}

function allOrNone<T>(list: readonly (T | undefined)[]): readonly T[] | undefined {
  const found = list.filter((entry) => entry !== undefined);
  return found.length === list.length ? found : undefined;
}

export const failsafePorts: ParameterForm<readonly FailsafePort[]> = {
  words: 'a list of ports such as tcp:22,udp:68',
  parseText: (value) => allOrNone(listOf(value).map(parseFailsafe)),
  parseField: (value) =>
    Array.isArray(value)
      ? allOrNone(
          value.map((entry: unknown) => {
            const { protocol, net, port } = (entry ?? {}) as Record<string, unknown>;
            return failsafe(protocol, net, port);
          }),
        )
      : undefined,
  none: [],
  field: v.array(
    v.strictObject({
      protocol: v.exactOptional(wordOf(['TCP', 'UDP', 'SCTP'])),
      port: integer(0, 65535),
      net: v.exactOptional(cidr()),
    }),
  ),
};

/** Time-outs of health reporters, by name, in milliseconds. */
export const timeouts: ParameterForm<ReadonlyMap<string, number>> = {
  words: 'a list such as name=90s',
  parseText: (value) => timeoutMap(listOf(value).map((entry) => entry.split('='))),
  parseField: (value) =>
    Array.isArray(value)
      ? timeoutMap(
          value.map((entry: unknown) => {
            const { name, timeout } = (entry ?? {}) as Record<string, unknown>;
            return [name, timeout];
          }),
        )
      : undefined,
  none: new Map(),
  field: v.array(v.strictObject({ name: v.string(), timeout: duration() })),
};

function timeoutMap(pairs: readonly (readonly unknown[])[]): ReadonlyMap<string, number> | undefined {
  const map = new Map<string, number>();
  for (const [name, timeout] of pairs) {
    const ms = typeof timeout === 'string' ? durationMs(timeout) : undefined;
    if (typeof name !== 'string' || name === '' || ms === undefined) return undefined;
    map.set(name, ms);
  }
  return map;
}

export type FieldSchemas = Readonly<Record<string, v.GenericSchema>>;

/** A strict spec of optional fields, for a table that only states the fields' schemas. */
export function specOf(fields: FieldSchemas): SpecSchema {
  return v.strictObject(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, v.exactOptional(field)])),
  );
}
