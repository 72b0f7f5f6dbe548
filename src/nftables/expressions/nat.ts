import { printValue } from '../datatypes.js';
import type { ExpressionCodec } from './expression-codec.js';
import { natFlagBits, natFlagsOfBits, printNatFlags, printPort } from './masq.js';
import { operandText, type RuleText } from './rule-text.js';
import type { NatFlag } from './masq.js';
import type { Register } from './register.js';

/** Rewrites the source or destination to what the registers hold. */
export interface Nat {
  readonly type: 'nat';
  readonly what: 'snat' | 'dnat';
  readonly family: 4 | 6;
  readonly addressMin?: Register;
  readonly addressMax?: Register;
  readonly portMin?: Register;
  readonly portMax?: Register;
  readonly flags: readonly NatFlag[];
}

export function nat(options: Omit<Nat, 'type'>): Nat {
  return { type: 'nat', ...options };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_nat_attributes, nft_nat_types.
const NFTA_NAT_TYPE = 1;
const NFTA_NAT_FAMILY = 2;
const NFTA_NAT_REG_ADDR_MIN = 3;
const NFTA_NAT_REG_ADDR_MAX = 4;
const NFTA_NAT_REG_PROTO_MIN = 5;
const NFTA_NAT_REG_PROTO_MAX = 6;
const NFTA_NAT_FLAGS = 7;
const TYPES = ['snat', 'dnat'] as const;
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;

const REGISTERS = [
  ['addressMin', NFTA_NAT_REG_ADDR_MIN],
  ['addressMax', NFTA_NAT_REG_ADDR_MAX],
  ['portMin', NFTA_NAT_REG_PROTO_MIN],
  ['portMax', NFTA_NAT_REG_PROTO_MAX],
] as const;

export const natCodec: ExpressionCodec<Nat> = {
  name: 'nat',
  attributes: [NFTA_NAT_TYPE, NFTA_NAT_FAMILY, NFTA_NAT_FLAGS, ...REGISTERS.map(([, number]) => number)],
  encode(expression, into) {
    into.u32BE(NFTA_NAT_TYPE, TYPES.indexOf(expression.what));
    into.u32BE(NFTA_NAT_FAMILY, expression.family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    for (const [name, number] of REGISTERS) {
      const register = expression[name];
      if (register !== undefined) into.u32BE(number, register);
    }
    const bits = natFlagBits(expression.flags);
    if (bits !== 0) into.u32BE(NFTA_NAT_FLAGS, bits);
  },
  decode(attributes) {
    const what = TYPES[attributes.u32BE(NFTA_NAT_TYPE) ?? TYPES.length];
    const protocolFamily = attributes.u32BE(NFTA_NAT_FAMILY);
    const flags = natFlagsOfBits(attributes.u32BE(NFTA_NAT_FLAGS) ?? 0);
    if (what === undefined || flags === undefined) return undefined;
    if (protocolFamily !== NFPROTO_IPV4 && protocolFamily !== NFPROTO_IPV6) return undefined;
    const registers: Partial<Record<(typeof REGISTERS)[number][0], Register>> = {};
    for (const [name, number] of REGISTERS) {
      const register = attributes.u32BE(number);
      if (register !== undefined) registers[name] = register;
    }
    // The kernel reports a range even where one end was given.
    if (registers.addressMax === registers.addressMin) delete registers.addressMax;
    if (registers.portMax === registers.portMin) delete registers.portMax;
    return { type: 'nat', what, family: protocolFamily === NFPROTO_IPV4 ? 4 : 6, ...registers, flags };
  },
  print(expression, text) {
    const family = text.family === 'inet' ? (expression.family === 4 ? ' ip' : ' ip6') : '';
    text.act(`${expression.what}${family} to ${printTarget(expression, text)}${printNatFlags(expression.flags)}`);
  },
};

function printTarget(expression: Nat, text: RuleText): string {
  const ends = [expression.addressMin, expression.addressMax].filter((register) => register !== undefined);
  const ports = [expression.portMin, expression.portMax].filter((register) => register !== undefined);
  const printed = ends.map((register) => {
    const operand = text.operand(register);
    if (operand.constant === undefined) return operandText(operand);
    const address = printValue(expression.family === 4 ? 'ipv4_addr' : 'ipv6_addr', operand.constant);
    return expression.family === 6 && ports.length > 0 ? `[${address}]` : address;
  });
  const port = ports.map((register) => printPort(text.operand(register).constant)).join('-');
  return `${printed.join('-')}${port === '' ? '' : `:${port}`}`;
}
