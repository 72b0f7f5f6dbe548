import { NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE } from '../sys/constants.js';
import { errnoName } from '../sys/errno.js';
import { parseAttributeList } from './attributes.js';
import { extendedAck, type Message, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR, replyErrno } from './message.js';

/** `CALICO_NETLINK_DEBUG=1` in the environment at start: every message is printed to stderr, decoded. */
export const isDebugging = process.env['CALICO_NETLINK_DEBUG'] === '1';

const ROUTE_OBJECTS = ['LINK', 'ADDR', 'ROUTE', 'NEIGH', 'RULE', 'QDISC', 'TCLASS', 'TFILTER'];
const ROUTE_VERBS = ['NEW', 'DEL', 'GET', 'SET'];
/** Size of the fixed header before the attributes: ifinfomsg, ifaddrmsg, rtmsg, ndmsg, fib_rule_hdr, tcmsg. */
const ROUTE_HEADERS = [16, 8, 12, 12, 12, 20, 20, 20];

// include/uapi/linux/netfilter/nf_tables.h, enum nf_tables_msg_types
const NFTABLES_TYPES =
  'NEWTABLE GETTABLE DELTABLE NEWCHAIN GETCHAIN DELCHAIN NEWRULE GETRULE DELRULE NEWSET GETSET DELSET NEWSETELEM GETSETELEM DELSETELEM NEWGEN GETGEN TRACE NEWOBJ GETOBJ DELOBJ GETOBJ_RESET NEWFLOWTABLE GETFLOWTABLE DELFLOWTABLE GETRULE_RESET DESTROYTABLE DESTROYCHAIN DESTROYRULE DESTROYSET DESTROYSETELEM DESTROYOBJ DESTROYFLOWTABLE GETSETELEM_RESET'.split(
    ' ',
  );
const CONNTRACK_TYPES = ['NEW', 'GET', 'DELETE', 'GET_CTRZERO', 'GET_STATS_CPU', 'GET_STATS'];
const NFNL_SUBSYS_CTNETLINK = 1;
const NFNL_SUBSYS_NFTABLES = 10;

function routeTypeName(type: number): string | undefined {
  const object = ROUTE_OBJECTS[(type - 16) >> 2];
  const verb = ROUTE_VERBS[(type - 16) & 3];
  return type < 16 || object === undefined || verb === undefined ? undefined : `RTM_${verb}${object}`;
}

function netfilterTypeName(type: number): string {
  if (type === 0x10) return 'NFNL_MSG_BATCH_BEGIN';
  if (type === 0x11) return 'NFNL_MSG_BATCH_END';
  const subsystem = type >> 8;
  if (subsystem === NFNL_SUBSYS_NFTABLES) return `NFT_MSG_${NFTABLES_TYPES[type & 0xff] ?? type & 0xff}`;
  if (subsystem === NFNL_SUBSYS_CTNETLINK) return `IPCTNL_MSG_CT_${CONNTRACK_TYPES[type & 0xff] ?? type & 0xff}`;
  return `NFNL_${subsystem}_${type & 0xff}`;
}

/** The header's name of a message type, or its number. */
export function typeName(protocol: number, type: number): string {
  if (type === NLMSG_ERROR) return 'NLMSG_ERROR';
  if (type === NLMSG_DONE) return 'NLMSG_DONE';
  if (protocol === NETLINK_ROUTE) return routeTypeName(type) ?? `RTM_${type}`;
  return protocol === NETLINK_NETFILTER ? netfilterTypeName(type) : `type ${type}`;
}

function headerSize(protocol: number, type: number): number {
  if (protocol === NETLINK_ROUTE) return ROUTE_HEADERS[(type - 16) >> 2] ?? 0;
  return protocol === NETLINK_NETFILTER || protocol === NETLINK_GENERIC ? 4 : 0;
}

function flagNames(flags: number): string {
  const names = ['REQUEST', 'MULTI', 'ACK', 'ECHO', 'DUMP_INTR', 'DUMP_FILTERED'].filter(
    (_, bit) => flags & (1 << bit),
  );
  if ((flags & NLM_F_DUMP) === NLM_F_DUMP) names.push('DUMP');
  else if ((flags & 0xf00) !== 0) names.push(`0x${(flags & 0xf00).toString(16)}`);
  return names.join('|');
}

/** A short printable string when it plainly is one (NUL-terminated), else hex. */
function formatPayload(payload: Buffer): string {
  const text = payload.toString('latin1', 0, payload.length - 1);
  if (payload.length > 2 && payload.at(-1) === 0 && /^[\x20-\x7e]+$/.test(text)) return JSON.stringify(text);
  return payload.length > 64 ? `${payload.toString('hex', 0, 64)}… (${payload.length} bytes)` : payload.toString('hex');
}

/** `{1=c0000207 4=02000000 5={…}}`; attributes that cannot be read come out as hex. */
function formatAttributes(bytes: Buffer): string {
  try {
    const parts = parseAttributeList(bytes).map(({ type, nested, payload }) => {
      return `${type}=${nested ? formatAttributes(payload) : formatPayload(payload)}`;
    });
    return `{${parts.join(' ')}}`;
  } catch (error) {
    return `(${error instanceof Error ? error.message : 'unreadable'}) ${bytes.toString('hex')}`;
  }
}

/** One line for one message: direction, type, number, flags, fixed header in hex, attributes as a tree. */
export function formatMessage(direction: '>' | '<', protocol: number, message: Message): string {
  const name = `${direction} ${typeName(protocol, message.type)} #${message.sequence}`;
  if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
    const errno = replyErrno(message);
    const ack = errno === 0 ? {} : extendedAck(message);
    const said = ack.text === undefined ? '' : ` "${ack.text}"`;
    const offset = ack.offset === undefined ? '' : ` at byte ${ack.offset}`;
    return errno === 0 ? `${name} ok` : `${name} ${errnoName(errno)}${said}${offset}`;
  }
  const size = Math.min(headerSize(protocol, message.type), message.payload.length);
  const header = message.payload.toString('hex', 0, size);
  return `${name} ${flagNames(message.flags)} ${header} ${formatAttributes(message.payload.subarray(size))}`;
}

export function debugMessage(direction: '>' | '<', protocol: number, message: Message): void {
  process.stderr.write(`netlink ${formatMessage(direction, protocol, message)}\n`);
}
