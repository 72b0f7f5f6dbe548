import type { ExpressionCodec } from './expression-codec.js';
import type { Register } from './register.js';

/** Source NAT to the outgoing interface's address. */
export interface Masquerade {
  readonly type: 'masq';
  readonly flags: readonly NatFlag[];
  /** Registers that hold the port range, when one is asked for. */
  readonly portMin?: Register;
  readonly portMax?: Register;
}

/** `NF_NAT_RANGE_*` of include/uapi/linux/netfilter/nf_nat.h, by nft's names; `proto-specified` is set by a port. */
export type NatFlag = 'random' | 'persistent' | 'fully-random' | 'proto-specified' | 'map-ips';

export function masquerade(flags: readonly NatFlag[] = []): Masquerade {
  return { type: 'masq', flags };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_masq_attributes; nf_nat.h: NF_NAT_RANGE_*.
const NFTA_MASQ_FLAGS = 1;
const NFTA_MASQ_REG_PROTO_MIN = 2;
const NFTA_MASQ_REG_PROTO_MAX = 3;
const NAT_FLAGS: readonly (readonly [NatFlag, number])[] = [
  ['map-ips', 1],
  ['proto-specified', 2],
  ['random', 4],
  ['persistent', 8],
  ['fully-random', 16],
];

export function natFlagBits(flags: readonly NatFlag[]): number {
  return NAT_FLAGS.reduce((bits, [name, bit]) => (flags.includes(name) ? bits | bit : bits), 0);
}

/** Undefined when a bit is set that has no name. */
export function natFlagsOfBits(bits: number): readonly NatFlag[] | undefined {
  return bits > 31 ? undefined : NAT_FLAGS.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
}

/** Those that nft prints: the others follow from the addresses and ports. */
export function printNatFlags(flags: readonly NatFlag[]): string {
  const shown = flags.filter((flag) => flag !== 'map-ips' && flag !== 'proto-specified');
  return shown.length === 0 ? '' : ` ${shown.join(',')}`;
}

export const masqCodec: ExpressionCodec<Masquerade> = {
  name: 'masq',
  attributes: [NFTA_MASQ_FLAGS, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX],
  encode(expression, into) {
    const bits = natFlagBits(expression.flags);
    if (bits !== 0) into.u32BE(NFTA_MASQ_FLAGS, bits);
    if (expression.portMin !== undefined) into.u32BE(NFTA_MASQ_REG_PROTO_MIN, expression.portMin);
    if (expression.portMax !== undefined) into.u32BE(NFTA_MASQ_REG_PROTO_MAX, expression.portMax);
  },
  decode(attributes) {
    const flags = natFlagsOfBits(attributes.u32BE(NFTA_MASQ_FLAGS) ?? 0);
    const portMin = attributes.u32BE(NFTA_MASQ_REG_PROTO_MIN);
    const portMax = attributes.u32BE(NFTA_MASQ_REG_PROTO_MAX);
    if (flags === undefined) return undefined;
    return {
      type: 'masq',
      flags,
      ...(portMin === undefined ? {} : { portMin }),
      ...(portMax === undefined ? {} : { portMax }),
    };
  },
  print(expression, text) {
    const ports = [expression.portMin, expression.portMax]
      .filter((register) => register !== undefined)
      .map((register) => printPort(text.operand(register).constant));
    text.act(`masquerade${ports.length === 0 ? '' : ` to :${ports.join('-')}`}${printNatFlags(expression.flags)}`);
  },
};

/** A port as it lies in a register; `?` when it is not a constant. */
export function printPort(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '?' : String((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0));
}
