import type { ExpressionCodec } from './expression-codec.js';

/** Goes on while the rate holds; inverted (`over`): only beyond it. */
export interface Limit {
  readonly type: 'limit';
  readonly rate: bigint;
  /** Length of the unit in seconds: 1 second, 60 minute, 3600 hour, 86400 day, 604800 week. */
  readonly unitSeconds: bigint;
  readonly burst: number;
  readonly of: 'packets' | 'bytes';
  readonly inverted: boolean;
}

/** Packets a second. nft's default burst is 5. */
export function packetLimit(perSecond: number, burst = 5): Limit {
  return { type: 'limit', rate: BigInt(perSecond), unitSeconds: 1n, burst, of: 'packets', inverted: false };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_limit_attributes, nft_limit_type, nft_limit_flags.
const NFTA_LIMIT_RATE = 1;
const NFTA_LIMIT_UNIT = 2;
const NFTA_LIMIT_BURST = 3;
const NFTA_LIMIT_TYPE = 4;
const NFTA_LIMIT_FLAGS = 5;
const NFTA_LIMIT_PAD = 6;
const TYPES = ['packets', 'bytes'] as const;
const NFT_LIMIT_F_INV = 1;
const UNITS: ReadonlyMap<bigint, string> = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86_400n, 'day'],
  [604_800n, 'week'],
]);
const DEFAULT_PACKET_BURST = 5;

export const limitCodec: ExpressionCodec<Limit> = {
  name: 'limit',
  attributes: [NFTA_LIMIT_RATE, NFTA_LIMIT_UNIT, NFTA_LIMIT_BURST, NFTA_LIMIT_TYPE, NFTA_LIMIT_FLAGS, NFTA_LIMIT_PAD],
  encode(expression, into) {
    into.u64BE(NFTA_LIMIT_RATE, expression.rate);
    into.u64BE(NFTA_LIMIT_UNIT, expression.unitSeconds);
    into.u32BE(NFTA_LIMIT_BURST, expression.burst);
    into.u32BE(NFTA_LIMIT_TYPE, TYPES.indexOf(expression.of));
    into.u32BE(NFTA_LIMIT_FLAGS, expression.inverted ? NFT_LIMIT_F_INV : 0);
  },
  decode(attributes) {
    const rate = attributes.u64BE(NFTA_LIMIT_RATE);
    const unitSeconds = attributes.u64BE(NFTA_LIMIT_UNIT);
    const burst = attributes.u32BE(NFTA_LIMIT_BURST);
    const of = TYPES[attributes.u32BE(NFTA_LIMIT_TYPE) ?? 0];
    const flags = attributes.u32BE(NFTA_LIMIT_FLAGS) ?? 0;
    if (rate === undefined || unitSeconds === undefined || burst === undefined) return undefined;
    if (of === undefined || flags > NFT_LIMIT_F_INV) return undefined;
    return { type: 'limit', rate, unitSeconds, burst, of, inverted: flags === NFT_LIMIT_F_INV };
  },
  print(expression, text) {
    const unit = UNITS.get(expression.unitSeconds) ?? `${expression.unitSeconds}s`;
    const over = expression.inverted ? 'over ' : '';
    const isPackets = expression.of === 'packets';
    const rate = isPackets ? `${expression.rate}/${unit}` : `${expression.rate} bytes/${unit}`;
    const isDefault = expression.burst === (isPackets ? DEFAULT_PACKET_BURST : 0);
    text.act(`limit rate ${over}${rate}${isDefault ? '' : ` burst ${expression.burst} ${expression.of}`}`);
  },
};
