import { formatPrefix, type Prefix } from '../../net/prefix.js';
import { AF_INET, AF_INET6 } from '../../sys/constants.js';
import { EEXIST } from '../../sys/errno.js';
import type { AttributeWriter } from '../attributes.js';
import { isErrno } from '../errors.js';
import { NLM_F_CREATE, NLM_F_EXCL, oneRequest } from '../message.js';
import type { NetlinkSocket } from '../socket.js';
import { FR_ACT_TO_TBL, FRA_PRIORITY, FRA_SRC, FRA_TABLE, RTM_NEWRULE } from './constants.js';

/** `struct fib_rule_hdr`: family, dst_len, src_len, tos, table, res1, res2, action, flags (4). */
const FIB_RULE_HEADER = 12;

/** A routing rule: what comes from these addresses looks into that table. */
export interface SourceRule {
  readonly source: Prefix;
  readonly table: number;
  /** Lower is asked first; main is 32766. */
  readonly priority: number;
}

/** The body of RTM_NEWRULE. */
export function encodeSourceRule(writer: AttributeWriter, { source, table, priority }: SourceRule): void {
  const header = writer.header(FIB_RULE_HEADER);
  header.writeUInt8(source.address.family === 4 ? AF_INET : AF_INET6, 0);
  header.writeUInt8(source.length, 2);
  header.writeUInt8(table < 256 ? table : 0, 4);
  header.writeUInt8(FR_ACT_TO_TBL, 7);
  writer.address(FRA_SRC, source.address).u32(FRA_PRIORITY, priority).u32(FRA_TABLE, table);
}

/** Adds a rule; one that is there already is fine. @throws {NetlinkError} */
export async function addSourceRule(socket: NetlinkSocket, rule: SourceRule): Promise<void> {
  const head = { type: RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, what: () => `add rule ${formatRule(rule)}` };
  try {
    await socket.request(oneRequest(head, (writer) => encodeSourceRule(writer, rule)));
  } catch (error) {
    if (!isErrno(error, EEXIST)) throw error;
  }
}

function formatRule({ source, table, priority }: SourceRule): string {
  return `${priority}: from ${formatPrefix(source)} lookup ${table}`;
}
