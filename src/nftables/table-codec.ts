import type { Attributes, AttributeWriter } from '../netlink/attributes.js';
import { NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS } from './expressions/counter.js';
import type { BaseChain, Chain, Counter, Hook, Table, TableFamily, TableId } from './objects.js';
import { commentUserData, readComment } from './user-data.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_table_attributes, nft_chain_attributes, nft_hook_attributes,
// nft_object_attributes, nft_devices_attributes.
const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
const NFTA_TABLE_USERDATA = 6;
// enum nft_table_flags.
const NFT_TABLE_F_OWNER = 2;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_CHAIN_USERDATA = 12;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_HOOK_DEV = 3;
const NFTA_HOOK_DEVS = 4;
const NFTA_DEVICE_NAME = 1;
const NFTA_OBJ_TABLE = 1;
const NFTA_OBJ_NAME = 2;
const NFTA_OBJ_TYPE = 3;
const NFTA_OBJ_DATA = 4;
const NFTA_OBJ_USERDATA = 8;
const NFT_OBJECT_COUNTER = 1;

// include/uapi/linux/netfilter.h: NF_INET_*, NF_NETDEV_*; netfilter_arp.h: NF_ARP_*; NF_DROP, NF_ACCEPT.
const INET_HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'];
const ARP_HOOKS: readonly Hook[] = ['input', 'output', 'forward'];
const NETDEV_HOOKS: readonly Hook[] = ['ingress', 'egress'];
const NF_DROP = 0;
const NF_ACCEPT = 1;

function hooksOf(family: TableFamily): readonly Hook[] {
  if (family === 'netdev') return NETDEV_HOOKS;
  return family === 'arp' ? ARP_HOOKS : INET_HOOKS;
}

export function writeTable(into: AttributeWriter, table: Table): void {
  into.string(NFTA_TABLE_NAME, table.name);
  into.u32BE(NFTA_TABLE_FLAGS, table.owner === true ? NFT_TABLE_F_OWNER : 0);
  if (table.comment !== undefined) into.blob(NFTA_TABLE_USERDATA, commentUserData(table.comment));
}

export function writeTableName(into: AttributeWriter, name: string): void {
  into.string(NFTA_TABLE_NAME, name);
}

/** Undefined without a name. */
export function readTable(family: TableFamily, attributes: Attributes): Table | undefined {
  const name = attributes.string(NFTA_TABLE_NAME);
  if (name === undefined) return undefined;
  const comment = readComment(attributes.blob(NFTA_TABLE_USERDATA));
  const isOwned = ((attributes.u32BE(NFTA_TABLE_FLAGS) ?? 0) & NFT_TABLE_F_OWNER) !== 0;
  return {
    kind: 'table',
    family,
    name,
    ...(comment === undefined ? {} : { comment }),
    ...(isOwned ? { owner: true } : {}),
  };
}

export function writeChain(into: AttributeWriter, chain: Chain): void {
  writeChainName(into, chain.table.name, chain.name);
  const { base } = chain;
  if (base !== undefined) {
    into.nest(NFTA_CHAIN_HOOK, (hook) => writeHook(hook, chain.table.family, base));
    into.u32BE(NFTA_CHAIN_POLICY, base.policy === 'drop' ? NF_DROP : NF_ACCEPT);
    into.string(NFTA_CHAIN_TYPE, base.type);
  }
  if (chain.comment !== undefined) into.blob(NFTA_CHAIN_USERDATA, commentUserData(chain.comment));
}

export function writeChainName(into: AttributeWriter, table: string, name: string): void {
  into.string(NFTA_CHAIN_TABLE, table);
  into.string(NFTA_CHAIN_NAME, name);
}

function writeHook(into: AttributeWriter, family: TableFamily, base: BaseChain): void {
  into.u32BE(NFTA_HOOK_HOOKNUM, hooksOf(family).indexOf(base.hook));
  into.u32BE(NFTA_HOOK_PRIORITY, base.priority >>> 0);
  const [device, ...more] = base.devices ?? [];
  if (device === undefined) return;
  if (more.length === 0) into.string(NFTA_HOOK_DEV, device);
  else into.nest(NFTA_HOOK_DEVS, (list) => base.devices?.forEach((name) => list.string(NFTA_DEVICE_NAME, name)));
}

function readBase(family: TableFamily, attributes: Attributes): BaseChain | undefined {
  const hook = attributes.nested(NFTA_CHAIN_HOOK);
  const type = attributes.string(NFTA_CHAIN_TYPE);
  const hookName = hooksOf(family)[hook?.u32BE(NFTA_HOOK_HOOKNUM) ?? -1];
  const priority = hook?.u32BE(NFTA_HOOK_PRIORITY);
  if (hook === undefined || hookName === undefined || priority === undefined) return undefined;
  if (type !== 'filter' && type !== 'nat' && type !== 'route') return undefined;
  const single = hook.string(NFTA_HOOK_DEV);
  const listed = hook.list(NFTA_HOOK_DEVS).map(({ payload }) => payload.toString('utf8', 0, payload.indexOf(0)));
  const devices = single === undefined ? listed : [single];
  return {
    type,
    hook: hookName,
    priority: priority | 0,
    policy: attributes.u32BE(NFTA_CHAIN_POLICY) === NF_DROP ? 'drop' : 'accept',
    ...(devices.length === 0 ? {} : { devices }),
  };
}

/** Table's name and the chain; undefined without names. */
export function readChain(family: TableFamily, attributes: Attributes): Chain | undefined {
  const tableName = attributes.string(NFTA_CHAIN_TABLE);
  const name = attributes.string(NFTA_CHAIN_NAME);
  if (tableName === undefined || name === undefined) return undefined;
  const base = readBase(family, attributes);
  const comment = readComment(attributes.blob(NFTA_CHAIN_USERDATA));
  return {
    kind: 'chain',
    table: { family, name: tableName },
    name,
    ...(base === undefined ? {} : { base }),
    ...(comment === undefined ? {} : { comment }),
  };
}

export function writeCounter(into: AttributeWriter, counter: Counter): void {
  writeCounterName(into, counter.table.name, counter.name);
  into.nest(NFTA_OBJ_DATA, (data) => {
    data.u64BE(NFTA_COUNTER_BYTES, counter.bytes ?? 0n);
    data.u64BE(NFTA_COUNTER_PACKETS, counter.packets ?? 0n);
  });
  if (counter.comment !== undefined) into.blob(NFTA_OBJ_USERDATA, commentUserData(counter.comment));
}

export function writeCounterName(into: AttributeWriter, table: string, name: string): void {
  into.string(NFTA_OBJ_TABLE, table);
  into.string(NFTA_OBJ_NAME, name);
  into.u32BE(NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
}

/** Which named objects a dump should give: the counters of one table. */
export function writeCountersOf(into: AttributeWriter, table: TableId): void {
  into.string(NFTA_OBJ_TABLE, table.name);
  into.u32BE(NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
}

/** Undefined for other kinds of objects. */
export function readCounter(family: TableFamily, attributes: Attributes): Counter | undefined {
  const tableName = attributes.string(NFTA_OBJ_TABLE);
  const name = attributes.string(NFTA_OBJ_NAME);
  const data = attributes.nested(NFTA_OBJ_DATA);
  if (tableName === undefined || name === undefined || attributes.u32BE(NFTA_OBJ_TYPE) !== NFT_OBJECT_COUNTER) {
    return undefined;
  }
  const comment = readComment(attributes.blob(NFTA_OBJ_USERDATA));
  return {
    kind: 'counter',
    table: { family, name: tableName },
    name,
    packets: data?.u64BE(NFTA_COUNTER_PACKETS) ?? 0n,
    bytes: data?.u64BE(NFTA_COUNTER_BYTES) ?? 0n,
    ...(comment === undefined ? {} : { comment }),
  };
}
