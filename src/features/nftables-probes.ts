import type { AttributeWriter } from '../netlink/attributes.js';
import { NLM_F_ACK, NLM_F_CREATE, oneRequest, Requests } from '../netlink/message.js';
import type { NetlinkSocket } from '../netlink/socket.js';

// include/uapi/linux/netfilter/nfnetlink.h, nf_tables.h
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_CTNETLINK = 1;
const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_INET = 1;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NF_INET_POST_ROUTING = 4;
const NF_INET_PRE_ROUTING = 0;
const IPCTNL_MSG_CT_GET = 1;

function nfgenmsg(writer: AttributeWriter, family: number, resource = 0): void {
  const header = writer.header(4);
  header.writeUInt8(family, 0);
  header.writeUInt16BE(resource, 2);
}

function addMessage(requests: Requests, type: number, body: (writer: AttributeWriter) => void): void {
  requests.add({ type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags: NLM_F_CREATE | NLM_F_ACK }, (writer) => {
    nfgenmsg(writer, NFPROTO_INET);
    body(writer);
  });
}

function newBaseChain(writer: AttributeWriter, type: string, hook: number): void {
  writer.string(1, 'probe'); // NFTA_CHAIN_TABLE
  writer.string(3, 'probe'); // NFTA_CHAIN_NAME
  writer.nest(4, (inner) => inner.u32BE(1, hook).u32BE(2, 0)); // NFTA_CHAIN_HOOK: number, priority
  writer.string(7, type); // NFTA_CHAIN_TYPE
}

/** Commits a table `inet probe` with what `more` adds, in the scratch namespace. @throws {NetlinkError} the first refusal */
async function commit(socket: NetlinkSocket, more: (requests: Requests) => void): Promise<void> {
  const requests = new Requests();
  requests.add({ type: NFNL_MSG_BATCH_BEGIN }, (writer) => nfgenmsg(writer, 0, NFNL_SUBSYS_NFTABLES));
  addMessage(requests, NFT_MSG_NEWTABLE, (writer) => writer.string(1, 'probe'));
  more(requests);
  requests.add({ type: NFNL_MSG_BATCH_END }, (writer) => nfgenmsg(writer, 0, NFNL_SUBSYS_NFTABLES));
  const { refusals } = await socket.batch(requests);
  const [first] = refusals;
  if (first !== undefined) throw first.error;
}

/** A table of the inet family. */
export function tryInetTable(socket: NetlinkSocket): Promise<void> {
  return commit(socket, () => undefined);
}

/** A base chain of type nat in the inet family. */
export function tryInetNat(socket: NetlinkSocket): Promise<void> {
  return commit(socket, (requests) => {
    addMessage(requests, NFT_MSG_NEWCHAIN, (writer) => newBaseChain(writer, 'nat', NF_INET_POST_ROUTING));
  });
}

/** A rule `fib saddr . iif oif`. */
export function tryFib(socket: NetlinkSocket): Promise<void> {
  return commit(socket, (requests) => {
    addMessage(requests, NFT_MSG_NEWCHAIN, (writer) => newBaseChain(writer, 'filter', NF_INET_PRE_ROUTING));
    addMessage(requests, NFT_MSG_NEWRULE, (writer) => {
      writer.string(1, 'probe').string(2, 'probe'); // NFTA_RULE_TABLE, NFTA_RULE_CHAIN
      writer.nest(4, (expressions) => {
        expressions.nest(1, (expression) => {
          expression.string(1, 'fib');
          // NFTA_FIB_DREG: register 1; RESULT: oif; FLAGS: saddr and iif
          expression.nest(2, (fib) =>
            fib
              .u32BE(1, 1)
              .u32BE(2, 1)
              .u32BE(3, 1 | 8),
          );
        });
      });
    });
  });
}

/** A list of tracked connections. */
export async function tryConntrackList(socket: NetlinkSocket): Promise<void> {
  const head = { type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, what: () => 'list tracked connections' };
  await socket.dump(oneRequest(head, (writer) => nfgenmsg(writer, 0)));
}
