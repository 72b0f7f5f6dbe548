import { printField } from '../elements.js';
import type { Cmp } from './cmp.js';
import { type Operand, type RuleText, operandText } from './rule-text.js';

const SIGNS: Readonly<Record<Cmp['op'], string>> = { eq: '==', neq: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' };
/** Numbers of `meta nfproto` and what they make known. */
const NETWORKS: ReadonlyMap<number, 4 | 6> = new Map([
  [2, 4],
  [10, 6],
]);
const PROTOCOL_FIELDS: ReadonlySet<string> = new Set(['meta l4proto', 'ip protocol', 'ip6 nexthdr']);

/** A comparison as nft prints it: `tcp dport 80`, `ct state new`, `meta mark & 0x00010000 == 0x00010000`. */
export function printComparison(expression: Cmp, text: RuleText): void {
  const operand = text.operand(expression.sreg);
  if (operand.mask !== undefined) {
    text.say(printMasked(expression, operand, operand.mask));
    return;
  }
  if (expression.op === 'lte' && joinRange(expression, operand, text)) return;
  const sign = expression.op === 'eq' ? '' : ` ${SIGNS[expression.op]}`;
  const part = `${operand.text}${sign} ${operand.print(expression.data)}`;
  if (expression.op === 'eq' && isCheck(expression, operand, text, part)) return;
  text.say(part);
}

/** nft writes a range as two comparisons: `>= from`, then `<= to`. */
function joinRange(expression: Cmp, operand: Operand, text: RuleText): boolean {
  const start = `${operand.text} >= `;
  return text.amend((last) => {
    if (!last.startsWith(start)) return undefined;
    return `${operand.text} ${last.slice(start.length)}-${operand.print(expression.data)}`;
  });
}

/** Comparisons that make a header readable: they may prove superfluous when a field of it is named. */
function isCheck(expression: Cmp, operand: Operand, text: RuleText, part: string): boolean {
  const [number = 0] = expression.data;
  if (operand.text === 'meta nfproto') {
    text.network = NETWORKS.get(number);
    text.sayCheck('network', part);
    return true;
  }
  if (!PROTOCOL_FIELDS.has(operand.text)) return false;
  text.transport = number;
  text.sayCheck('transport', part);
  return true;
}

function printMasked(expression: Cmp, operand: Operand, mask: Uint8Array): string {
  const isZero = expression.data.every((byte) => byte === 0);
  if (operand.isFlags === true) return printFlags(expression, operand, isZero);
  const end = expression.data.map((byte, i) => byte | (~(mask[i] ?? 0) & 255));
  const isAddress = operand.text.endsWith('addr') || operand.text.endsWith(' ip');
  if (isAddress && (expression.op === 'eq' || expression.op === 'neq') && isPrefixMask(mask)) {
    const sign = expression.op === 'eq' ? '' : ' !=';
    return `${operand.text}${sign} ${printField(mask.length === 4 ? 'ipv4_addr' : 'ipv6_addr', expression.data, end)}`;
  }
  return `${operandText(operand)} ${SIGNS[expression.op]} ${operand.print(expression.data)}`;
}

function printFlags(expression: Cmp, operand: Operand, isZero: boolean): string {
  const flags = operand.print(operand.mask ?? expression.data);
  if (isZero && expression.op === 'neq') return `${operand.text} ${flags}`;
  if (isZero) return `${operand.text} ! ${flags}`;
  const sign = expression.op === 'eq' ? '' : ' !=';
  return `${operand.text}${sign} ${operand.print(expression.data)} / ${flags}`;
}

/** Ones, then zeros only. */
function isPrefixMask(mask: Uint8Array): boolean {
  let ended = false;
  for (const byte of mask) {
    if (ended && byte !== 0) return false;
    // A byte of ones then zeros becomes a power of two (or zero) when inverted and increased.
    const inverted = ~byte & 255;
    if ((inverted & (inverted + 1)) !== 0) return false;
    ended ||= byte !== 255;
  }
  return true;
}
