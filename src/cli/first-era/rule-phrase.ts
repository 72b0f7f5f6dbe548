import type { EntityRule, Rule } from '../../api/rule.js';
import { parsePort } from '../../api/rule.js';
import { formatPrefix, networkOf, tryParsePrefix } from '../../net/prefix.js';
import { type TypedLine, wordError } from './form.js';

/** What a tag may be made of: the words of the first era, and of labels. */
export const TAG = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

const PROTOCOLS: Readonly<Record<string, string>> = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP', icmpv6: 'ICMPv6' };
const TYPE_LAST = 254;
const CODE_LAST = 255;

/** Reads typed words one by one. */
class Words {
  readonly line: TypedLine;
  at: number;

  constructor(line: TypedLine, at: number) {
    this.line = line;
    this.at = at;
  }

  get next(): string | undefined {
    return this.line.words[this.at];
  }

  /** Takes the next word if it is this one. */
  accept(word: string): boolean {
    if (this.next !== word) return false;
    this.at += 1;
    return true;
  }

  /** Takes the next word as the value of the one before it. */
  value<T>(what: string, read: (word: string) => T | undefined): T {
    const word = this.next;
    const value = word === undefined ? undefined : read(word);
    if (value === undefined) {
      const problem = word === undefined ? 'a word is missing' : `"${word}" does not fit here`;
      throw wordError(this.line, this.at, `${problem}: write ${what}`);
    }
    this.at += 1;
    return value;
  }
}

function readPort(text: string): number | string | undefined {
  const port = parsePort(text);
  if (port === undefined || 'name' in port) return undefined;
  return port.first === port.last ? port.first : `${port.first}:${port.last}`;
}

function readPorts(text: string): readonly (number | string)[] | undefined {
  const ports = text.split(',').map(readPort);
  return ports.every((port) => port !== undefined) ? ports : undefined;
}

/** `192.0.2.7` too: the address alone. */
export function readNet(text: string): string | undefined {
  const prefix = tryParsePrefix(text);
  return prefix === undefined ? undefined : formatPrefix(networkOf(prefix));
}

function readNumber(last: number): (text: string) => number | undefined {
  return (text) => (/^\d{1,3}$/.test(text) && Number(text) <= last ? Number(text) : undefined);
}

/** The selector that a tag has become. */
export function selectorOfTag(tag: string): string {
  return `${tag} == ''`;
}

/** The tag that a selector stands for; undefined for every other selector. */
export function tagOfSelector(selector: string): string | undefined {
  const [, tag] = /^\s*(\S+)\s*==\s*(?:''|"")\s*$/.exec(selector) ?? [];
  return tag !== undefined && TAG.test(tag) ? tag : undefined;
}

interface Entity {
  ports?: readonly (number | string)[];
  selector?: string;
  nets?: readonly string[];
}

function parseEntity(words: Words, takesPorts: boolean): EntityRule {
  const entity: Entity = {};
  const start = words.at;
  for (;;) {
    if (entity.ports === undefined && words.next === 'ports') {
      if (!takesPorts) throw wordError(words.line, words.at, 'ports go with tcp and udp only');
      words.at += 1;
      entity.ports = words.value('ports, such as 80 or 1,2:3', readPorts);
    } else if (entity.selector === undefined && words.accept('tag')) {
      const tag = words.value('a tag', (word) => (TAG.test(word) ? word : undefined));
      entity.selector = selectorOfTag(tag);
    } else if (entity.nets === undefined && words.accept('cidr')) {
      entity.nets = [words.value('a CIDR', readNet)];
    } else break;
  }
  if (words.at === start) words.value(`${takesPorts ? 'ports, ' : ''}tag or cidr`, () => undefined);
  return entity;
}

function parseIcmp(words: Words): Pick<Rule, 'icmp'> {
  if (!words.accept('type')) return {};
  const type = words.value(`a number from 0 to ${TYPE_LAST}`, readNumber(TYPE_LAST));
  if (!words.accept('code')) return { icmp: { type } };
  return { icmp: { type, code: words.value(`a number from 0 to ${CODE_LAST}`, readNumber(CODE_LAST)) } };
}

function refuseMore(words: Words, expected: readonly string[]): void {
  if (words.next === undefined) return;
  words.value(expected.length === 0 ? 'nothing more' : expected.join(', '), () => undefined);
}

/** The protocol, if the next word is one. */
function parseProtocol(words: Words): string | undefined {
  const word = words.next ?? '';
  if (!Object.hasOwn(PROTOCOLS, word)) return undefined;
  words.at += 1;
  return PROTOCOLS[word];
}

/**
 * Reads a rule from its action to the end of what was typed: `allow tcp from tag web to ports 80,8000:8080`.
 *
 * @param at index of the action
 * @throws {CalicoError} `ERR_CALI_CLI_USAGE` points at the word that does not fit
 */
export function parseRulePhrase(line: TypedLine, at: number): Rule {
  const words = new Words(line, at);
  const action = words.value('allow or deny', (word) =>
    word === 'allow' ? ('Allow' as const) : word === 'deny' ? ('Deny' as const) : undefined,
  );
  const protocol = parseProtocol(words);
  const icmp = protocol === 'ICMP' || protocol === 'ICMPv6' ? parseIcmp(words) : {};
  const takesPorts = protocol === 'TCP' || protocol === 'UDP';
  const source = words.accept('from') ? { source: parseEntity(words, takesPorts) } : {};
  const destination = words.accept('to') ? { destination: parseEntity(words, takesPorts) } : {};
  refuseMore(words, [
    ...(words.at === at + 1 ? Object.keys(PROTOCOLS) : []),
    ...('source' in source || 'destination' in destination ? [] : ['from']),
    ...('destination' in destination ? [] : ['to']),
  ]);
  return { action, ...(protocol === undefined ? {} : { protocol }), ...icmp, ...source, ...destination };
}

/** True when an object has no other fields than these; undefined ones do not count. */
function hasOnly(value: object, fields: readonly string[]): boolean {
  return Object.entries(value).every(([field, content]) => content === undefined || fields.includes(field));
}

function entityWords(entity: EntityRule, takesPorts: boolean): readonly string[] | undefined {
  const { ports = [], selector, nets = [] } = entity;
  if (!hasOnly(entity, ['ports', 'selector', 'nets']) || nets.length > 1) return undefined;
  const texts = ports.map(String);
  if (texts.length > 0 && (!takesPorts || readPorts(texts.join(',')) === undefined)) return undefined;
  const tag = selector === undefined ? undefined : tagOfSelector(selector);
  if (selector !== undefined && tag === undefined) return undefined;
  return [
    ...(texts.length === 0 ? [] : ['ports', texts.join(',')]),
    ...(tag === undefined ? [] : ['tag', tag]),
    ...nets.flatMap((net) => ['cidr', net]),
  ];
}

function protocolWords({ protocol, icmp }: Rule): readonly string[] | undefined {
  if (protocol === undefined) return icmp === undefined ? [] : undefined;
  const word = Object.keys(PROTOCOLS).find((key) => PROTOCOLS[key] === protocol);
  if (word === undefined) return undefined;
  if (icmp === undefined) return [word];
  if (!word.startsWith('icmp') || icmp.type === undefined) return undefined;
  return [word, 'type', String(icmp.type), ...(icmp.code === undefined ? [] : ['code', String(icmp.code)])];
}

/** A rule as the first era writes it; undefined for one that those words cannot say. */
export function formatRulePhrase(rule: Rule): string | undefined {
  const { action, protocol, source = {}, destination = {} } = rule;
  if (!hasOnly(rule, ['action', 'protocol', 'icmp', 'source', 'destination', 'metadata'])) return undefined;
  if (action !== 'Allow' && action !== 'Deny') return undefined;
  const takesPorts = protocol === 'TCP' || protocol === 'UDP';
  const about = protocolWords(rule);
  const from = entityWords(source, takesPorts);
  const to = entityWords(destination, takesPorts);
  if (about === undefined || from === undefined || to === undefined) return undefined;
  return [
    action.toLowerCase(),
    ...about,
    ...(from.length === 0 ? [] : ['from', ...from]),
    ...(to.length === 0 ? [] : ['to', ...to]),
  ].join(' ');
}
