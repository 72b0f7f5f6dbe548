import * as v from 'valibot';
import { formatPrefix, networkOf, tryParsePrefix } from '../../net/prefix.js';
import { cidrOrAddress, explained, integer, textField } from '../fields.js';
import { port, PROTOCOL_NAMES } from '../rule.js';
import { mergeTag, tag } from './selectors.js';

const ACTIONS: ReadonlyMap<string, string> = new Map([
  ['allow', 'Allow'],
  ['deny', 'Deny'],
  ['log', 'Log'],
  ['pass', 'Pass'],
  ['next-tier', 'Pass'],
  ['', 'Allow'],
]);

function action() {
  return textField('allow, deny, log, pass or next-tier, in any case', (text) =>
    ACTIONS.has(text.toLowerCase()) ? undefined : `"${text}" is not one of allow, deny, log, pass, next-tier`,
  );
}

/** The name as it is written today, in whatever case it was. */
function casedProtocol(text: string): string | undefined {
  return PROTOCOL_NAMES.find((name) => name.toLowerCase() === text.toLowerCase());
}

function readProtocol(input: string | number): string | number {
  if (typeof input === 'number') return input;
  return /^\d{1,3}$/.test(input) ? Number(input) : (casedProtocol(input) ?? input);
}

/** A protocol by name, in any case, or by number; becomes what is written today. */
export function protocolOfV1() {
  return v.pipe(
    v.union([v.number(), v.string()]),
    v.transform(readProtocol),
    explained((value: number | string) => {
      const isGood =
        typeof value === 'number'
          ? Number.isInteger(value) && value >= 1 && value <= 255
          : casedProtocol(value) !== undefined;
      return isGood
        ? undefined
        : `"${value}" is not a protocol: tcp, udp, icmp, icmpv6, sctp, udplite, or a number from 1 to 255`;
    }),
  );
}

const nets = () => v.exactOptional(v.array(cidrOrAddress()));
const ports = () => v.exactOptional(v.array(port()));
const icmp = () =>
  v.exactOptional(v.strictObject({ type: v.exactOptional(integer(0, 255)), code: v.exactOptional(integer(0, 255)) }));

const entity = v.strictObject({
  tag: v.exactOptional(tag()),
  net: v.exactOptional(cidrOrAddress()),
  nets: nets(),
  selector: v.exactOptional(v.string()),
  ports: ports(),
  notTag: v.exactOptional(tag()),
  notNet: v.exactOptional(cidrOrAddress()),
  notNets: nets(),
  notSelector: v.exactOptional(v.string()),
  notPorts: ports(),
});

/** A rule as it was written. */
const ruleOfV1 = v.strictObject({
  action: v.exactOptional(action()),
  ipVersion: v.exactOptional(v.picklist([4, 6])),
  protocol: v.exactOptional(protocolOfV1()),
  notProtocol: v.exactOptional(protocolOfV1()),
  icmp: icmp(),
  notICMP: icmp(),
  source: v.exactOptional(entity),
  destination: v.exactOptional(entity),
});

export const rulesOfV1 = () => v.exactOptional(v.array(ruleOfV1));

type Rule = v.InferOutput<typeof ruleOfV1>;
type Entity = v.InferOutput<typeof entity>;

/** The networks of both fields, without the bits past their prefixes, each once. */
function mergeNets(net: string | undefined, list: readonly string[] = []): readonly string[] | undefined {
  const texts = [...(net === undefined ? [] : [net]), ...list];
  const networks = texts.map((text) => {
    const prefix = tryParsePrefix(text);
    return prefix === undefined ? text : formatPrefix(networkOf(prefix));
  });
  return networks.length === 0 ? undefined : [...new Set(networks)];
}

/** Fields without those that have no value. */
export function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function convertEntity(side: Entity | undefined): object | undefined {
  if (side === undefined) return undefined;
  const converted = given({
    nets: mergeNets(side.net, side.nets),
    notNets: mergeNets(side.notNet, side.notNets),
    selector: mergeTag(side.selector, side.tag, '&&'),
    notSelector: mergeTag(side.notSelector, side.notTag, '||'),
    ports: side.ports,
    notPorts: side.notPorts,
  });
  return Object.keys(converted).length === 0 ? undefined : converted;
}

function convertRule({ action: word = '', source, destination, ...same }: Rule): object {
  return given({
    ...same,
    action: ACTIONS.get(word.toLowerCase()),
    source: convertEntity(source),
    destination: convertEntity(destination),
  });
}

/** Rules of one direction as they are written today; undefined stays undefined. */
export function convertRules(rules: readonly Rule[] | undefined): readonly object[] | undefined {
  return rules?.map(convertRule);
}
