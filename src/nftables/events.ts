import { Attributes } from '../netlink/attributes.js';
import type { Message } from '../netlink/message.js';
import type { TableId } from './objects.js';
import { NFGENMSG_LENGTH, type MessageName, messageName, readFamily } from './wire.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_gen_attributes. The table's name is attribute 1 of all objects, the
// object's own name 2 (chains: 3; rules: 2 is their chain).
const NFTA_GEN_ID = 1;
const NFTA_GEN_PROC_PID = 2;
const NFTA_GEN_PROC_NAME = 3;
const NFTA_TABLE = 1;
const NFTA_NAME = 2;
const NFTA_CHAIN_NAME = 3;

/** What a listener in group NFNLGRP_NFTABLES (`monitorNftables`) is told: one event for each change, then one `commit` for the batch. */
export type NftEvent = CommitEvent | ChangeEvent;

export interface CommitEvent {
  readonly kind: 'commit';
  /** The generation after it. */
  readonly generation: number;
  /** Of the socket that committed: ours is {@link KernelNftables.portId}. */
  readonly portId: number;
  /** Of the committing process, in the initial pid namespace. */
  readonly processId: number;
  readonly processName: string;
}

export interface ChangeEvent {
  readonly kind: 'new' | 'deleted';
  readonly object: 'table' | 'chain' | 'rule' | 'set' | 'elements' | 'object';
  readonly table: TableId;
  /** Of the object; for rules their chain's, for elements their set's, for tables absent. */
  readonly name: string | undefined;
  readonly portId: number;
}

const OBJECTS: ReadonlyMap<MessageName, ChangeEvent['object']> = new Map<MessageName, ChangeEvent['object']>([
  ['NEWTABLE', 'table'],
  ['DELTABLE', 'table'],
  ['NEWCHAIN', 'chain'],
  ['DELCHAIN', 'chain'],
  ['NEWRULE', 'rule'],
  ['DELRULE', 'rule'],
  ['NEWSET', 'set'],
  ['DELSET', 'set'],
  ['NEWSETELEM', 'elements'],
  ['DELSETELEM', 'elements'],
  ['NEWOBJ', 'object'],
  ['DELOBJ', 'object'],
]);

/**
 * One notification; undefined when it is about something else or cannot be understood.
 *
 * @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` when lengths reach outside the message
 */
export function decodeNftEvent(message: Message): NftEvent | undefined {
  const name = messageName(message.type);
  if (name === undefined || message.payload.length < NFGENMSG_LENGTH) return undefined;
  const attributes = new Attributes(message.payload.subarray(NFGENMSG_LENGTH));
  if (name === 'NEWGEN') {
    return {
      kind: 'commit',
      generation: attributes.u32BE(NFTA_GEN_ID) ?? 0,
      portId: message.portId,
      processId: attributes.u32BE(NFTA_GEN_PROC_PID) ?? 0,
      processName: attributes.string(NFTA_GEN_PROC_NAME) ?? '',
    };
  }
  const object = OBJECTS.get(name);
  const family = readFamily(message.payload);
  const tableName = attributes.string(NFTA_TABLE);
  if (object === undefined || family === undefined || tableName === undefined) return undefined;
  return {
    kind: name.startsWith('NEW') ? 'new' : 'deleted',
    object,
    table: { family, name: tableName },
    name: objectName(object, attributes),
    portId: message.portId,
  };
}

function objectName(object: string, attributes: Attributes): string | undefined {
  if (object === 'table') return undefined;
  return attributes.string(object === 'chain' ? NFTA_CHAIN_NAME : NFTA_NAME);
}
