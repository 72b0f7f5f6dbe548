import * as v from 'valibot';
import { type Complaint, cidr, durationMs, explained, integer, listUpTo, textField } from './fields.js';
import { listOf, type ParameterForm, type PortSpan, portSpan } from './felix-parameter-forms.js';
import { explainBadLabelName } from './names.js';

/** Forms of parameters that are lists, maps or text with a grammar of its own. */

interface Structure<T> {
  readonly words: string;
  readonly field: v.GenericSchema<unknown, T>;
  /** Text of environment or file as the field would have it. */
  readonly fromText: (text: string) => unknown;
  readonly none?: T;
}

function structured<T>({ words, field, fromText, none }: Structure<T>): ParameterForm<T> {
  const parseField = (value: unknown): T | undefined => {
    const result = v.safeParse(field, value);
    return result.success ? result.output : undefined;
  };
  const parseText = (text: string) => parseField(fromText(text));
  return { words, field, parseField, parseText, ...(none === undefined ? {} : { none }) };
}

function textual(words: string, explain: (text: string) => string | Complaint | undefined): ParameterForm<string> {
  const field = textField(words, (text) => (text === '' ? undefined : explain(text)));
  return structured({ words, field, fromText: (text) => text, none: '' });
}

/** The form, or nothing: what `none` stands for. */
export function optional<T>(form: ParameterForm<T>): ParameterForm<T | null> {
  return { ...form, none: null };
}

export const cidrList: ParameterForm<readonly string[]> = structured({
  words: 'a list of CIDRs',
  field: v.array(cidr()),
  fromText: listOf,
  none: [],
});

export const wordList: ParameterForm<readonly string[]> = structured({
  words: 'a list of texts',
  field: v.array(v.string()),
  fromText: listOf,
  none: [],
});

const PORT_RANGES_LIMIT = 7;

export const portRanges: ParameterForm<readonly PortSpan[]> = {
  words: 'a list of port ranges such as 30000:32767',
  field: listUpTo(PORT_RANGES_LIMIT, portSpan.field),
  parseText: (text) => portList(listOf(text).map(portSpan.parseText)),
  parseField: (value) =>
    Array.isArray(value) ? portList(value.map((entry: unknown) => portSpan.parseField(entry))) : undefined,
  none: [],
};

function portList(spans: readonly (PortSpan | null | undefined)[]): readonly PortSpan[] | undefined {
  const found = spans.filter((entry) => entry !== undefined && entry !== null);
  return found.length === spans.length && found.length <= PORT_RANGES_LIMIT ? found : undefined;
}

export const label = textual('a DNS label', explainBadLabelName);

export const interfaceText = textual('the name of an interface', (text) =>
  /^[a-zA-Z0-9_.+-]{1,15}$/.test(text) ? undefined : `"${text}" is not the name of a network interface`,
);

/** `Name=value,…` as one text. */
export const settings = textual('settings such as Name=true,Other=false', (text) =>
  /^\s*[\w.-]+\s*=\s*[^,=]+(,\s*[\w.-]+\s*=\s*[^,=]+)*$/.test(text)
    ? undefined
    : `"${text}" is not a list of settings such as Name=true`,
);

export const rateLimit = textual('a rate such as 10/second', (text) =>
  /^[1-9]\d{0,3}\/(second|minute|hour|day)$/.test(text)
    ? undefined
    : `"${text}" is not a rate: 1 to 9999, then /second, /minute, /hour or /day`,
);

function pairs(text: string): readonly (readonly [string, string])[] {
  return listOf(text).map((entry) => {
    const [name = '', ...value] = entry.split('=');
    return [name, value.join('=')] as const;
  });
}

export const textMap: ParameterForm<Readonly<Record<string, string>>> = structured({
  words: 'a map of texts',
  field: v.record(v.string(), v.string()),
  fromText: (text) => Object.fromEntries(pairs(text)),
  none: {},
});

const TIMEOUT_NAMES = [
  'creationGracePeriod',
  'tcpSynSent',
  'tcpEstablished',
  'tcpFinsSeen',
  'tcpResetSeen',
  'udpTimeout',
  'genericTimeout',
  'icmpTimeout',
] as const;

function durationOrAuto() {
  return textField('a duration or Auto', (text) =>
    text === 'Auto' || durationMs(text) !== undefined ? undefined : `"${text}" is neither a duration nor Auto`,
  );
}

type ConntrackTimeouts = Readonly<Partial<Record<(typeof TIMEOUT_NAMES)[number], string>>>;

export const conntrackTimeouts: ParameterForm<ConntrackTimeouts> = structured({
  words: 'durations or Auto, by name',
  field: v.strictObject({
    creationGracePeriod: v.exactOptional(durationOrAuto()),
    tcpSynSent: v.exactOptional(durationOrAuto()),
    tcpEstablished: v.exactOptional(durationOrAuto()),
    tcpFinsSeen: v.exactOptional(durationOrAuto()),
    tcpResetSeen: v.exactOptional(durationOrAuto()),
    udpTimeout: v.exactOptional(durationOrAuto()),
    genericTimeout: v.exactOptional(durationOrAuto()),
    icmpTimeout: v.exactOptional(durationOrAuto()),
  }),
  fromText: (text) =>
    Object.fromEntries(
      pairs(text).map(([name, value]) => [
        TIMEOUT_NAMES.find((known) => known.toLowerCase() === name.toLowerCase()) ?? name,
        value,
      ]),
    ),
});

/** Names of code points: RFC 2474, RFC 2597, RFC 3246, RFC 5865, RFC 8622. */
const DSCP_NAME = /^(df|cs[0-7]|af[1-4][1-3]|ef|va|le)$/i;

export const dscp: ParameterForm<number | string> = structured({
  words: 'a code point from 0 to 63, or its name such as EF',
  field: v.pipe(
    v.union([v.number(), v.string()]),
    explained((value: number | string) => {
      const isRight =
        typeof value === 'string' ? DSCP_NAME.test(value) : Number.isInteger(value) && value >= 0 && value <= 63;
      return isRight ? undefined : `"${value}" is not a code point: 0 to 63, or a name such as EF`;
    }),
  ),
  fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
});

export interface TableRange {
  readonly min: number;
  readonly max: number;
}

function range(maximum: number) {
  return v.pipe(
    v.strictObject({ min: integer(1, maximum), max: integer(1, maximum) }),
    explained(({ min, max }: TableRange) => (min <= max ? undefined : `it ends at ${max}, before it begins at ${min}`)),
  );
}

function rangeFromText(text: string): { min: number; max: number } {
  const [, min, max] = /^(\d{1,10})-(\d{1,10})$/.exec(text) ?? [];
  return { min: Number(min), max: Number(max) };
}

/** Indices of routing tables; up to 250, as above them the kernel has its own. */
export const tableRange: ParameterForm<TableRange> = structured({
  words: 'a range of routing tables such as 1-250',
  field: range(250),
  fromText: rangeFromText,
});

export const tableRanges: ParameterForm<readonly TableRange[]> = structured({
  words: 'a list of ranges of routing tables',
  field: v.array(range(0xffffffff)),
  fromText: (text) => listOf(text).map(rangeFromText),
});
