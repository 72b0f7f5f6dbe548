import { type Datatype, LITTLE, datatypeLength, hostView, printValue } from '../datatypes.js';
import type { MetaKey } from './meta.js';
import type { Operand } from './rule-text.js';

const DATATYPES: ReadonlyMap<MetaKey, Datatype> = new Map<MetaKey, Datatype>([
  ['mark', 'mark'],
  ['iif', 'iface_index'],
  ['oif', 'iface_index'],
  ['iifname', 'ifname'],
  ['oifname', 'ifname'],
  ['nfproto', 'nf_proto'],
  ['l4proto', 'inet_proto'],
]);

/** nft prints these without `meta` before them. */
const BARE: ReadonlySet<MetaKey> = new Set<MetaKey>(['iif', 'oif', 'iifname', 'oifname', 'iifgroup', 'oifgroup']);
const ONE_BYTE: ReadonlySet<MetaKey> = new Set<MetaKey>(['pkttype', 'nftrace']);
// include/uapi/linux/if_packet.h: PACKET_*.
const PACKET_TYPES = ['host', 'broadcast', 'multicast', 'other'];

function printNumber(bytes: Uint8Array): string {
  if (bytes.length === 4) return String(hostView(bytes).getUint32(0, LITTLE));
  return String(bytes[0] ?? 0);
}

function printerOf(key: MetaKey): (bytes: Uint8Array) => string {
  const datatype = DATATYPES.get(key);
  if (datatype === 'ifname') return printInterface;
  if (datatype !== undefined) return (bytes) => printValue(datatype, bytes);
  if (key === 'pkttype') return (bytes) => PACKET_TYPES[bytes[0] ?? 0] ?? String(bytes[0]);
  return printNumber;
}

/** Fewer than 16 bytes were compared: all names that begin so. */
function printInterface(bytes: Uint8Array): string {
  return bytes.length < 16 ? `"${Buffer.from(bytes).toString()}*"` : printValue('ifname', bytes);
}

/** What a load of a packet's metadata holds. */
export function metaOperand(key: MetaKey): Operand {
  const datatype = DATATYPES.get(key);
  const print = printerOf(key);
  const length = datatype === undefined ? 4 : datatypeLength(datatype);
  return {
    text: BARE.has(key) ? key : `meta ${key}`,
    length: ONE_BYTE.has(key) ? 1 : length,
    print: (from, to) => (to === undefined ? print(from) : `${print(from)}-${print(to)}`),
  };
}
