import { addressBytes, parseAddress } from '../net/address.js';
import { bitwise } from './expressions/bitwise.js';
import { counterExpression } from './expressions/counter.js';
import { verdictExpression, immediate } from './expressions/immediate.js';
import { type Log, log as logExpression } from './expressions/log.js';
import { type AnonymousSet, mapLookup } from './expressions/lookup.js';
import { type NatFlag, masquerade as masqueradeExpression } from './expressions/masq.js';
import { meta, metaSet } from './expressions/meta.js';
import { nat } from './expressions/nat.js';
import { notrack as notrackExpression } from './expressions/notrack.js';
import { counterReference } from './expressions/objref.js';
import { packetLimit } from './expressions/limit.js';
import { reject as rejectExpression } from './expressions/reject.js';
import { FIRST_REGISTER, VERDICT_REGISTER } from './expressions/register.js';
import type { Field } from './fields.js';
import { type Statement, loadKey, word } from './match.js';
import { ACCEPT, DROP, RETURN, gotoChain, jumpTo } from './verdict.js';

const R1 = FIRST_REGISTER;

export const accept: Statement = { expressions: [verdictExpression(ACCEPT)] };
export const drop: Statement = { expressions: [verdictExpression(DROP)] };
export const returnToCaller: Statement = { expressions: [verdictExpression(RETURN)] };

export function jump(chain: string): Statement {
  return { expressions: [verdictExpression(jumpTo(chain))] };
}

/** Named so because `goto` is a reserved word. */
export function goTo(chain: string): Statement {
  return { expressions: [verdictExpression(gotoChain(chain))] };
}

/** `iifname vmap @dispatch`: the verdict the map holds for the key; goes on with the next rule when there is none. */
export function verdictFrom(fields: Field | readonly Field[], map: string | AnonymousSet): Statement {
  const { loads, needs } = loadKey(fields);
  return { needs, expressions: [...loads, mapLookup(map, R1, VERDICT_REGISTER)] };
}

/** `counter`: in the rule itself. */
export const count: Statement = { expressions: [counterExpression()] };

/** `counter name "x"`. */
export function countIn(name: string): Statement {
  return { expressions: [counterReference(name)] };
}

/** Sets the bits of the packet's mark: `meta mark set meta mark | bits`. */
export function setMarkBits(bits: number): Statement {
  return changeMark(bits, bits);
}

/** Clears the bits of the packet's mark: `meta mark set meta mark & ~bits`. */
export function clearMarkBits(bits: number): Statement {
  return changeMark(bits, 0);
}

/** The bits under `mask` become `value`; the others stay. */
export function changeMark(mask: number, value: number): Statement {
  return { expressions: [meta('mark', R1), bitwise(R1, word(~mask), word(value & mask)), metaSet('mark', R1)] };
}

export function log(options: Omit<Log, 'type'>): Statement {
  return { expressions: [logExpression(options)] };
}

/** `reject`: port unreachable, ICMP or ICMPv6 as the packet is; for tables of family `inet`. */
export const reject: Statement = { expressions: [rejectExpression('icmpx', 1)] };

/** `reject with tcp reset`. */
export const rejectWithReset: Statement = { expressions: [rejectExpression('tcp-reset', 0)], needs: { protocol: 6 } };

export function masquerade(flags: readonly NatFlag[] = []): Statement {
  return { expressions: [masqueradeExpression(flags)] };
}

/** `snat ip to 192.0.2.1`. */
export function snatTo(addressText: string): Statement {
  return natTo('snat', addressText, undefined);
}

/** `dnat ip to 192.0.2.1` or, after a match on a transport protocol, with a port. */
export function dnatTo(addressText: string, port?: number): Statement {
  return natTo('dnat', addressText, port);
}

function natTo(what: 'snat' | 'dnat', addressText: string, port: number | undefined): Statement {
  const address = parseAddress(addressText);
  const expressions = [immediate(R1, addressBytes(address))];
  if (port === undefined) {
    return {
      needs: { family: address.family },
      expressions: [...expressions, nat({ what, family: address.family, addressMin: R1, flags: [] })],
    };
  }
  const flags: NatFlag[] = ['proto-specified'];
  return {
    needs: { family: address.family },
    expressions: [
      ...expressions,
      immediate(2, Uint8Array.of(port >>> 8, port & 255)),
      nat({ what, family: address.family, addressMin: R1, portMin: 2, flags }),
    ],
  };
}

/** `limit rate n/second burst b packets`. */
export function limitPackets(perSecond: number, burst?: number): Statement {
  return { expressions: [packetLimit(perSecond, burst)] };
}

export const notrack: Statement = { expressions: [notrackExpression()] };
