import type { Log, LogLevel } from '../expressions/log.js';
import type { NatFlag } from '../expressions/masq.js';
import type { Statement } from '../match.js';
import {
  accept,
  changeMark,
  count,
  countIn,
  dnatTo,
  drop,
  goTo,
  jump,
  limitPackets,
  log,
  masquerade,
  notrack,
  reject,
  rejectWithReset,
  returnToCaller,
  snatTo,
} from '../statements.js';
import type { Tokens } from './tokens.js';

const ACTIONS: ReadonlyMap<string, (tokens: Tokens) => Statement> = new Map<string, (tokens: Tokens) => Statement>([
  ['accept', () => accept],
  ['drop', () => drop],
  ['return', () => returnToCaller],
  ['notrack', () => notrack],
  ['jump', (tokens) => jump(tokens.next())],
  ['goto', (tokens) => goTo(tokens.next())],
  ['counter', (tokens) => (tokens.take('name') ? countIn(tokens.text()) : count)],
  ['reject', (tokens) => (tokens.take('with', 'tcp', 'reset') ? rejectWithReset : reject)],
  ['log', parseLog],
  ['limit', parseLimit],
  ['masquerade', parseMasquerade],
  ['snat', (tokens) => parseNat(tokens, 'snat')],
  ['dnat', (tokens) => parseNat(tokens, 'dnat')],
]);

/** What a rule does; undefined when the next words are a match. */
export function parseAction(tokens: Tokens): Statement | undefined {
  if (tokens.take('meta', 'mark', 'set', 'meta', 'mark')) return parseMarkChange(tokens);
  const action = ACTIONS.get(tokens.peek() ?? '');
  if (action === undefined) return undefined;
  tokens.next();
  return action(tokens);
}

/** `| v` sets bits, `& m` clears others than m, `& m | v` does both. */
function parseMarkChange(tokens: Tokens): Statement {
  const sign = tokens.next();
  const first = Number(tokens.next());
  if (sign === '|') return changeMark(first, first);
  const value = tokens.take('|') ? Number(tokens.next()) : 0;
  // Printed is what is kept, the bits of v among it.
  return changeMark(~(first & ~value) >>> 0, value);
}

function parseLog(tokens: Tokens): Statement {
  let options: Omit<Log, 'type'> = {};
  for (;;) {
    if (tokens.take('prefix')) options = { ...options, prefix: tokens.text() };
    else if (tokens.take('level')) options = { ...options, level: tokens.next() as LogLevel };
    else if (tokens.take('group')) options = { ...options, group: Number(tokens.next()) };
    else if (tokens.take('snaplen')) options = { ...options, snaplen: Number(tokens.next()) };
    else if (tokens.take('queue-threshold')) options = { ...options, queueThreshold: Number(tokens.next()) };
    else return log(options);
  }
}

function parseLimit(tokens: Tokens): Statement {
  tokens.expect('rate');
  const [rate = '', unit] = tokens.next().split('/');
  if (unit !== 'second') throw tokens.unreadable('a rate in a second');
  const burst = tokens.take('burst') ? Number(tokens.next()) : undefined;
  if (burst !== undefined) tokens.expect('packets');
  return limitPackets(Number(rate), burst);
}

const NAT_FLAGS: readonly NatFlag[] = ['random', 'persistent', 'fully-random'];

function parseMasquerade(tokens: Tokens): Statement {
  const flags: NatFlag[] = [];
  for (;;) {
    const flag = NAT_FLAGS.find((name) => tokens.take(name));
    if (flag === undefined) return masquerade(flags);
    flags.push(flag);
    tokens.take(',');
  }
}

function parseNat(tokens: Tokens, what: 'snat' | 'dnat'): Statement {
  if (!tokens.take('ip6')) tokens.take('ip');
  tokens.expect('to');
  const target = tokens.next();
  const [, bracketed, bare, port] = /^(?:\[(.*)\]|([^:]*|.*::.*?))(?::(\d+))?$/.exec(target) ?? [];
  const address = bracketed ?? bare ?? target;
  if (what === 'snat') return snatTo(address);
  return port === undefined ? dnatTo(target) : dnatTo(address, Number(port));
}
