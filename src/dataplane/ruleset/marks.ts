import { CalicoError } from '../../base/errors.js';

/** The bits of the packet mark that the ruleset uses. */
export interface Marks {
  /** A workload's packet has passed all of our chains of its hook: what iptables' tables accept. */
  readonly accept: number;
  /** A Pass rule matched: the rest of the tier is skipped. */
  readonly pass: number;
}

/**
 * Carved from the mask, lowest bit first.
 *
 * @throws {CalicoError} `ERR_CALI_DATAPLANE_MARK_MASK` when the mask has fewer than two bits
 */
export function allocateMarks(mask: number): Marks {
  const bits = Array.from({ length: 32 }, (_, bit) => 2 ** bit).filter((bit) => (mask & bit) !== 0);
  const [accept, pass] = bits;
  if (accept === undefined || pass === undefined) {
    throw new CalicoError(
      'ERR_CALI_DATAPLANE_MARK_MASK',
      `mark mask "0x${(mask >>> 0).toString(16)}" has fewer than two bits`,
      { hint: 'give a mask with at least two bits, such as 0xffff0000' },
    );
  }
  return { accept, pass };
}
