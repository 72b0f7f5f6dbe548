import {
  ARP_SENDER_ADDRESS,
  ARP_SENDER_ETHER,
  ARP_TARGET_ADDRESS,
  ARP_TARGET_ETHER,
  CONNECTION_MARK,
  type Field,
  INPUT_INTERFACE,
  OUTPUT_INTERFACE,
  PACKET_MARK,
  type PortProtocol,
  TRANSPORT_PROTOCOL,
  destinationAddress,
  destinationPort,
  icmpCodeField,
  icmpTypeField,
  sourceAddress,
  sourcePort,
} from '../fields.js';
import {
  type CtState,
  type CtStatus,
  type Statement,
  anonymousSet,
  arpOperation,
  ctDirection,
  ctState,
  ctStatus,
  iifname,
  isFamily,
  isForThisHost,
  isIn,
  isOneOf,
  markIs,
  oifname,
  protocol,
  reversePathFails,
} from '../match.js';
import type { ChainId, Member, Rule } from '../objects.js';
import { rule } from '../rule.js';
import { verdictFrom } from '../statements.js';
import { parseAction } from './parse-action.js';
import { parseMember } from './parse-member.js';
import type { Tokens } from './tokens.js';

const PORT_PROTOCOLS: readonly PortProtocol[] = ['tcp', 'udp', 'sctp', 'dccp', 'udplite'];

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['iifname', INPUT_INTERFACE],
  ['oifname', OUTPUT_INTERFACE],
  ['ip saddr', sourceAddress(4)],
  ['ip daddr', destinationAddress(4)],
  ['ip6 saddr', sourceAddress(6)],
  ['ip6 daddr', destinationAddress(6)],
  ['th sport', sourcePort()],
  ['th dport', destinationPort()],
  ['icmp type', icmpTypeField(4)],
  ['icmp code', icmpCodeField(4)],
  ['icmpv6 type', icmpTypeField(6)],
  ['icmpv6 code', icmpCodeField(6)],
  ['meta l4proto', TRANSPORT_PROTOCOL],
  ['meta mark', PACKET_MARK],
  ['ct mark', CONNECTION_MARK],
  ...PORT_PROTOCOLS.flatMap((name): [string, Field][] => [
    [`${name} sport`, sourcePort(name)],
    [`${name} dport`, destinationPort(name)],
  ]),
]);

const ARP_FIELDS: ReadonlyMap<string, Field> = new Map([
  ['arp saddr ether', ARP_SENDER_ETHER],
  ['arp saddr ip', ARP_SENDER_ADDRESS],
  ['arp daddr ether', ARP_TARGET_ETHER],
  ['arp daddr ip', ARP_TARGET_ADDRESS],
]);

/** One rule as `nft` lists it, up to the end of the tokens. @throws {CalicoError} `ERR_CALI_NFT_TEXT` for what is not supported */
export function parseRule(of: ChainId, tokens: Tokens): Rule {
  const statements: Statement[] = [];
  let comment: string | undefined;
  while (!tokens.isEmpty) {
    if (tokens.take('comment')) comment = tokens.text();
    else statements.push(parseStatement(tokens));
  }
  return rule(of, statements, comment === undefined ? {} : { comment });
}

function parseStatement(tokens: Tokens): Statement {
  return parseSpecial(tokens) ?? parseAction(tokens) ?? parseMatch(tokens);
}

/** Matches that are no plain comparison of a field. */
function parseSpecial(tokens: Tokens): Statement | undefined {
  if (tokens.take('ct', 'state')) {
    const sense = { not: tokens.take('!') };
    return ctState(words(tokens) as CtState[], sense);
  }
  if (tokens.take('ct', 'status')) return ctStatus(words(tokens) as CtStatus[]);
  if (tokens.take('ct', 'direction')) return ctDirection(tokens.next() === 'reply' ? 'reply' : 'original');
  if (tokens.take('meta', 'nfproto')) return isFamily(tokens.next() === 'ipv4' ? 4 : 6);
  if (tokens.take('meta', 'mark', '&')) {
    const mask = Number(tokens.next());
    const not = tokens.next() === '!=';
    return markIs(mask, Number(tokens.next()), { not });
  }
  if (tokens.take('fib', 'saddr', '.', 'mark', '.', 'iif', 'oif', '0')) return reversePathFails();
  if (tokens.take('fib', 'daddr', 'type', 'local')) return isForThisHost();
  if (tokens.take('fib', 'daddr', 'type', '!=', 'local')) return isForThisHost({ not: true });
  if (tokens.take('arp', 'operation')) {
    const not = tokens.take('!=');
    return arpOperation(tokens.next() === 'reply' ? 'reply' : 'request', { not });
  }
  return undefined;
}

/** `a,b,c` comes as words and commas. */
function words(tokens: Tokens): string[] {
  const list = [tokens.next()];
  while (tokens.take(',')) list.push(tokens.next());
  return list;
}

function parseField(tokens: Tokens): Field {
  const first = tokens.next();
  const single = FIELDS.get(first);
  if (single !== undefined) return single;
  const name = `${first} ${tokens.next()}`;
  const field = FIELDS.get(name) ?? ARP_FIELDS.get(`${name} ${tokens.peek() ?? ''}`);
  if (field === undefined) throw tokens.unreadable('a field that is supported');
  if (first === 'arp') tokens.next();
  return field;
}

function parseMatch(tokens: Tokens): Statement {
  const fields = [parseField(tokens)];
  while (tokens.take('.')) fields.push(parseField(tokens));
  if (tokens.take('vmap')) return verdictFrom(fields, parseReference(tokens, fields, 'verdict'));
  const not = tokens.take('!=');
  const [field] = fields;
  const next = tokens.peek() ?? '';
  if (field === undefined || fields.length > 1 || next.startsWith('@') || next === '{') {
    return isIn(fields, parseReference(tokens, fields, undefined), { not });
  }
  const value = tokens.text();
  if (field === INPUT_INTERFACE) return iifname(value, { not });
  if (field === OUTPUT_INTERFACE) return oifname(value, { not });
  if (field === TRANSPORT_PROTOCOL) return protocol(value, { not });
  return isOneOf(field, [value], { not });
}

function parseReference(
  tokens: Tokens,
  fields: readonly Field[],
  data: 'verdict' | undefined,
): Parameters<typeof isIn>[1] {
  const first = tokens.next();
  if (first.startsWith('@')) return first.slice(1);
  if (first !== '{') throw tokens.unreadable('a set');
  const key = fields.map(({ datatype }) => datatype);
  const members: Member[] = tokens.list().map((item) => parseMember(item, data));
  if (data !== undefined) return { key, constant: true, data, members };
  return anonymousSet(
    key,
    members.flatMap((member) => (typeof member === 'string' ? [member] : [])),
  );
}
