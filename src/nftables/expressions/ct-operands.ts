import { LITTLE, hostView, printValue } from '../datatypes.js';
import type { CtKey } from './ct.js';
import { flagNames } from './payload-fields.js';
import { type Operand, opaque } from './rule-text.js';

// include/uapi/linux/netfilter/nf_conntrack_common.h: NF_CT_STATE_BIT and IPS_*; a bit without name is not printed.
const STATES = ['invalid', 'established', 'related', 'new', '', '', 'untracked'];
const STATUSES = ['expected', 'seen-reply', 'assured', 'confirmed', 'snat', 'dnat', '', '', '', 'dying'];

function hostNumber(bytes: Uint8Array): number {
  return bytes.length === 4 ? hostView(bytes).getUint32(0, LITTLE) : 0;
}

/** What a load of a connection's fact holds. */
export function ctOperand(key: CtKey, direction: 'original' | 'reply' | undefined): Operand {
  const text = direction === undefined ? `ct ${key}` : `ct ${direction} ${key}`;
  switch (key) {
    case 'state':
      return { text, length: 4, isFlags: true, print: (bytes) => flagNames(STATES, hostNumber(bytes)) };
    case 'status':
      return { text, length: 4, isFlags: true, print: (bytes) => flagNames(STATUSES, hostNumber(bytes)) };
    case 'direction':
      return { text, length: 1, print: (bytes) => (bytes[0] === 0 ? 'original' : 'reply') };
    case 'mark':
      return { text, length: 4, print: (bytes) => printValue('mark', bytes) };
    default:
      return opaque(text);
  }
}
