import { type Attribute, Attributes, type AttributeWriter } from '../../netlink/attributes.js';
import type { TableFamily } from '../objects.js';
import { bitwiseCodec } from './bitwise.js';
import { cmpCodec } from './cmp.js';
import { counterCodec } from './counter.js';
import { ctCodec } from './ct.js';
import type { Expression } from './expression.js';
import type { EncodeContext, ExpressionCodec } from './expression-codec.js';
import { fibCodec } from './fib.js';
import { immediateCodec } from './immediate.js';
import { limitCodec } from './limit.js';
import { logCodec } from './log.js';
import { lookupCodec } from './lookup.js';
import { masqCodec } from './masq.js';
import { metaCodec } from './meta.js';
import { natCodec } from './nat.js';
import { notrackCodec } from './notrack.js';
import { objrefCodec } from './objref.js';
import { payloadCodec } from './payload.js';
import { rangeCodec } from './range.js';
import { rejectCodec } from './reject.js';
import { RuleText } from './rule-text.js';
import type { UnknownExpression } from './unknown.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_list_attributes, nft_expr_attributes.
export const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

type Known = Exclude<Expression, UnknownExpression>;
type CodecOf<T extends Known['type']> = ExpressionCodec<Extract<Known, { type: T }>>;

const BY_TYPE: { readonly [T in Known['type']]: Pick<CodecOf<T>, 'name' | 'encode' | 'print'> } = {
  bitwise: bitwiseCodec,
  cmp: cmpCodec,
  counter: counterCodec,
  ct: ctCodec,
  'ct-set': ctCodec,
  fib: fibCodec,
  immediate: immediateCodec,
  verdict: immediateCodec,
  limit: limitCodec,
  log: logCodec,
  lookup: lookupCodec,
  masq: masqCodec,
  meta: metaCodec,
  'meta-set': metaCodec,
  nat: natCodec,
  notrack: notrackCodec,
  objref: objrefCodec,
  payload: payloadCodec,
  range: rangeCodec,
  reject: rejectCodec,
};

interface Reader {
  readonly name: string;
  readonly attributes: readonly number[];
  decode(attributes: Attributes): Expression | undefined;
}

const READERS: readonly Reader[] = [
  bitwiseCodec,
  cmpCodec,
  counterCodec,
  ctCodec,
  fibCodec,
  immediateCodec,
  limitCodec,
  logCodec,
  lookupCodec,
  masqCodec,
  metaCodec,
  natCodec,
  notrackCodec,
  objrefCodec,
  payloadCodec,
  rangeCodec,
  rejectCodec,
];
const BY_NAME: ReadonlyMap<string, Reader> = new Map(READERS.map((reader) => [reader.name, reader]));

/** The codec for an expression's own type; the table above pairs them, which the type of an index access cannot say. */
function codecOf(expression: Known): Pick<ExpressionCodec<Known>, 'name' | 'encode' | 'print'> {
  return BY_TYPE[expression.type] as Pick<ExpressionCodec<Known>, 'name' | 'encode' | 'print'>;
}

/** Writes one expression as an element of `NFTA_RULE_EXPRESSIONS`. */
export function encodeExpression(expression: Expression, into: AttributeWriter, context: EncodeContext): void {
  into.nest(NFTA_LIST_ELEM, (element) => {
    if (expression.type === 'unknown') {
      const { raw } = expression;
      element.string(NFTA_EXPR_NAME, expression.name);
      if (raw !== undefined) element.nest(NFTA_EXPR_DATA, (data) => data.raw(raw));
      return;
    }
    const codec = codecOf(expression);
    element.string(NFTA_EXPR_NAME, codec.name);
    element.nest(NFTA_EXPR_DATA, (data) => codec.encode(expression, data, context));
  });
}

/** Reads one element of `NFTA_RULE_EXPRESSIONS`; what is not modelled in full comes back as `unknown`, with its bytes. */
export function decodeExpression(element: Attribute): Expression {
  const attributes = new Attributes(element.payload);
  const name = attributes.string(NFTA_EXPR_NAME) ?? '';
  const raw = attributes.blob(NFTA_EXPR_DATA);
  const reader = BY_NAME.get(name);
  if (reader !== undefined) {
    const inner = new Attributes(raw ?? Buffer.alloc(0));
    const isModelled = inner.types().every((type) => reader.attributes.includes(type));
    const decoded = isModelled ? reader.decode(inner) : undefined;
    if (decoded !== undefined) return decoded;
  }
  return { type: 'unknown', name, raw };
}

/** The expressions of one rule as `nft` prints them, without comment. */
export function printExpressions(family: TableFamily, expressions: readonly Expression[], stateful = false): string {
  const text = new RuleText(family, stateful);
  for (const expression of expressions) {
    if (expression.type === 'unknown') text.say(`[${expression.name}]`);
    else codecOf(expression).print(expression, text);
  }
  return text.toString();
}
