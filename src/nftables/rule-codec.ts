import { type Attribute, type Attributes, type AttributeWriter, parseAttributeList } from '../netlink/attributes.js';
import { decodeExpression, encodeExpression } from './expressions/codec.js';
import type { EncodeContext } from './expressions/expression-codec.js';
import type { Expression } from './expressions/expression.js';
import type { ChainId, Rule } from './objects.js';
import {
  UDATA_COMMENT,
  UDATA_RULE_HASH,
  commentBytes,
  readComment,
  readUserValue,
  encodeUserData,
} from './user-data.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_rule_attributes.
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_RULE_POSITION = 6;
const NFTA_RULE_USERDATA = 7;

/** Which rules a message is about: of a table, of a chain, or one. */
export function writeRulePlace(
  into: AttributeWriter,
  place: { readonly tableName: string; readonly chainName?: string; readonly handle?: number },
): void {
  into.string(NFTA_RULE_TABLE, place.tableName);
  if (place.chainName !== undefined) into.string(NFTA_RULE_CHAIN, place.chainName);
  if (place.handle !== undefined) into.u64BE(NFTA_RULE_HANDLE, BigInt(place.handle));
}

/** A rule; `handle` is the one it replaces, `beside` the one it stands next to. */
export function writeRule(
  into: AttributeWriter,
  rule: Rule,
  at: { readonly handle?: number | undefined; readonly beside?: number | undefined },
  context: EncodeContext,
): void {
  into.string(NFTA_RULE_TABLE, rule.chain.table.name);
  into.string(NFTA_RULE_CHAIN, rule.chain.name);
  if (at.handle !== undefined) into.u64BE(NFTA_RULE_HANDLE, BigInt(at.handle));
  if (at.beside !== undefined) into.u64BE(NFTA_RULE_POSITION, BigInt(at.beside));
  into.nest(NFTA_RULE_EXPRESSIONS, (list) => {
    for (const expression of rule.expressions) encodeExpression(expression, list, context);
  });
  into.blob(NFTA_RULE_USERDATA, ruleUserData(rule));
}

function ruleUserData(rule: Rule): Uint8Array {
  const hash = { type: UDATA_RULE_HASH, value: Buffer.from(rule.hash, 'hex') };
  if (rule.comment === undefined) return encodeUserData([hash]);
  return encodeUserData([{ type: UDATA_COMMENT, value: commentBytes(rule.comment) }, hash]);
}

/** A rule as it was dumped; the expressions stay encoded until somebody wants them. */
export interface DecodedRule {
  readonly chain: ChainId['name'];
  readonly tableName: string;
  readonly handle: number;
  readonly comment?: string;
  readonly hash?: string;
  readonly encodedExpressions: Uint8Array;
}

/** Undefined without names or handle. */
export function readRule(attributes: Attributes): DecodedRule | undefined {
  const tableName = attributes.string(NFTA_RULE_TABLE);
  const chain = attributes.string(NFTA_RULE_CHAIN);
  const handle = attributes.u64BE(NFTA_RULE_HANDLE);
  if (tableName === undefined || chain === undefined || handle === undefined) return undefined;
  const userData = attributes.blob(NFTA_RULE_USERDATA);
  const comment = readComment(userData);
  const hash = readUserValue(userData, UDATA_RULE_HASH);
  return {
    tableName,
    chain,
    handle: Number(handle),
    ...(comment === undefined ? {} : { comment }),
    ...(hash === undefined ? {} : { hash: Buffer.from(hash).toString('hex') }),
    encodedExpressions: attributes.blob(NFTA_RULE_EXPRESSIONS) ?? new Uint8Array(0),
  };
}

/** The expressions of a dumped rule. */
export function readExpressions(encoded: Uint8Array): readonly Expression[] {
  return parseAttributeList(encoded).map(decodeExpression);
}

/** Which expression of a rule's message lies at a byte offset of the message; `attributes` are the message's own. */
export function expressionIndexAt(
  message: Buffer,
  attributes: readonly Attribute[],
  offset: number,
): number | undefined {
  const list = attributes.find((attribute) => attribute.type === NFTA_RULE_EXPRESSIONS);
  if (list === undefined || list.payload.byteOffset - message.byteOffset > offset) return undefined;
  const index = parseAttributeList(list.payload).findIndex(
    ({ payload }) => payload.byteOffset - message.byteOffset + payload.length > offset,
  );
  return index < 0 ? undefined : index;
}
