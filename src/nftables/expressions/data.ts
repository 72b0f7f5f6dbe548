import type { Attributes, AttributeWriter } from '../../netlink/attributes.js';
import type { Verdict } from '../verdict.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_data_attributes, nft_verdict_attributes, nft_verdicts;
// include/uapi/linux/netfilter.h: NF_DROP, NF_ACCEPT.
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;

const CODES: Readonly<Record<Verdict['code'], number>> = {
  drop: 0,
  accept: 1,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
};
const NAMES: ReadonlyMap<number, Verdict['code']> = new Map(
  Object.entries(CODES).map(([name, code]) => [code >>> 0, name as Verdict['code']]),
);

/** A nested attribute that holds a value (`NFTA_DATA_VALUE`). */
export function writeData(into: AttributeWriter, type: number, data: Uint8Array): void {
  into.nest(type, (inner) => inner.blob(NFTA_DATA_VALUE, data));
}

/** A nested attribute that holds a verdict (`NFTA_DATA_VERDICT`). */
export function writeVerdict(into: AttributeWriter, type: number, verdict: Verdict): void {
  into.nest(type, (data) =>
    data.nest(NFTA_DATA_VERDICT, (inner) => {
      inner.u32BE(NFTA_VERDICT_CODE, CODES[verdict.code] >>> 0);
      if ('chain' in verdict) inner.string(NFTA_VERDICT_CHAIN, verdict.chain);
    }),
  );
}

/** The value in a nested data attribute; undefined when it is absent or holds a verdict. */
export function readData(attributes: Attributes, type: number): Uint8Array | undefined {
  return attributes.nested(type)?.blob(NFTA_DATA_VALUE);
}

/** The verdict in a nested data attribute; undefined when it is absent, holds a value, or is one we do not know. */
export function readVerdict(attributes: Attributes, type: number): Verdict | undefined {
  const inner = attributes.nested(type)?.nested(NFTA_DATA_VERDICT);
  const code = NAMES.get(inner?.u32BE(NFTA_VERDICT_CODE) ?? 1e10);
  if (inner === undefined || code === undefined) return undefined;
  if (code !== 'jump' && code !== 'goto') return { code };
  const chain = inner.string(NFTA_VERDICT_CHAIN);
  return chain === undefined ? undefined : { code, chain };
}
