import type { ExpressionCodec } from './expression-codec.js';
import { LITTLE, hostView, interfaceName } from '../datatypes.js';
import type { Operand } from './rule-text.js';
import type { Register } from './register.js';

export type FibSelector = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif';
export type FibResult = 'oif' | 'oifname' | 'type';

/** Asks the routing table: where would a packet to this address go (`oif`, 0 when nowhere), or what kind of address is it. */
export interface Fib {
  readonly type: 'fib';
  readonly selectors: readonly FibSelector[];
  readonly result: FibResult;
  /** Only whether there is a route: the result is one byte, 1 or 0. */
  readonly present: boolean;
  readonly dreg: Register;
}

export function fib(selectors: readonly FibSelector[], result: FibResult, dreg: Register): Fib {
  return { type: 'fib', selectors, result, present: false, dreg };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_fib_attributes, nft_fib_result, nft_fib_flags.
const NFTA_FIB_DREG = 1;
const NFTA_FIB_RESULT = 2;
const NFTA_FIB_FLAGS = 3;
const RESULTS: readonly (FibResult | undefined)[] = [undefined, 'oif', 'oifname', 'type'];
/** In the order of the bits, which is the order nft prints them in. */
const SELECTORS: readonly FibSelector[] = ['saddr', 'daddr', 'mark', 'iif', 'oif'];
const NFTA_FIB_F_PRESENT = 1 << 5;

// include/uapi/linux/rtnetlink.h: RTN_*.
const ADDRESS_TYPES = ['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable'];

export const fibCodec: ExpressionCodec<Fib> = {
  name: 'fib',
  attributes: [NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS],
  encode(expression, into) {
    let flags = expression.present ? NFTA_FIB_F_PRESENT : 0;
    for (const selector of expression.selectors) flags |= 1 << SELECTORS.indexOf(selector);
    into.u32BE(NFTA_FIB_DREG, expression.dreg);
    into.u32BE(NFTA_FIB_RESULT, RESULTS.indexOf(expression.result));
    into.u32BE(NFTA_FIB_FLAGS, flags);
  },
  decode(attributes) {
    const dreg = attributes.u32BE(NFTA_FIB_DREG);
    const result = RESULTS[attributes.u32BE(NFTA_FIB_RESULT) ?? 0];
    const flags = attributes.u32BE(NFTA_FIB_FLAGS);
    if (dreg === undefined || result === undefined || flags === undefined) return undefined;
    if (flags >= 2 * NFTA_FIB_F_PRESENT) return undefined;
    const selectors = SELECTORS.filter((_, bit) => (flags & (1 << bit)) !== 0);
    return { type: 'fib', selectors, result, present: (flags & NFTA_FIB_F_PRESENT) !== 0, dreg };
  },
  print(expression, text) {
    text.load(expression.dreg, fibOperand(expression));
  },
};

function fibOperand(expression: Fib): Operand {
  const text = `fib ${SELECTORS.filter((selector) => expression.selectors.includes(selector)).join(' . ')} ${expression.result}`;
  if (expression.present) return { text, length: 1, print: (bytes) => (bytes[0] === 0 ? 'missing' : 'exists') };
  if (expression.result === 'oifname') return { text, length: 16, print: (bytes) => `"${interfaceName(bytes)}"` };
  const number = (bytes: Uint8Array): number => (bytes.length === 4 ? hostView(bytes).getUint32(0, LITTLE) : 0);
  if (expression.result === 'oif') return { text, length: 4, print: (bytes) => String(number(bytes)) };
  return { text, length: 4, print: (bytes) => ADDRESS_TYPES[number(bytes)] ?? String(number(bytes)) };
}
