import { hash } from 'node:crypto';
import { AttributeWriter } from '../netlink/attributes.js';
import { printMember } from './elements.js';
import { invalidObject } from './errors.js';
import { cmp } from './expressions/cmp.js';
import { encodeExpression } from './expressions/codec.js';
import type { Expression } from './expressions/expression.js';
import { type AnonymousSet, numberedSetName } from './expressions/lookup.js';
import { meta } from './expressions/meta.js';
import { FIRST_REGISTER } from './expressions/register.js';
import type { Needs } from './fields.js';
import type { Statement } from './match.js';
import type { ChainId, Rule, TableFamily } from './objects.js';

export interface RuleOptions {
  /** Shown by `nft list ruleset`; at most 128 bytes. */
  readonly comment?: string;
}

/**
 * A rule from its statements, in order. Checks that a statement rests on (the packet's family in an inet table, the transport
 * protocol before a port) are put in once, before the first that needs them.
 *
 * @throws {CalicoError} `ERR_CALI_NFT_OBJECT` when statements contradict each other or the table's family
 */
export function rule(of: ChainId, statements: readonly Statement[], options: RuleOptions = {}): Rule {
  const expressions = assemble(of.table.family, statements);
  const digest = contentHash(expressions, options.comment);
  if (options.comment === undefined) return { kind: 'rule', chain: of, expressions, hash: digest };
  if (Buffer.byteLength(options.comment) > 128) {
    throw invalidObject(`rule of chain ${of.name}`, `comment "${options.comment}" is longer than 128 bytes`);
  }
  return { kind: 'rule', chain: of, expressions, comment: options.comment, hash: digest };
}

function familyOfTable(family: TableFamily): Needs {
  if (family === 'ip') return { family: 4 };
  return family === 'ip6' ? { family: 6 } : {};
}

function assemble(family: TableFamily, statements: readonly Statement[]): readonly Expression[] {
  const expressions: Expression[] = [];
  let known = familyOfTable(family);
  for (const statement of statements) {
    const { needs, proves } = statement;
    if (needs !== undefined) {
      expressions.push(...missingChecks(needs, known));
      known = { ...known, ...needs };
    }
    expressions.push(...statement.expressions);
    if (proves !== undefined) known = { ...known, ...proves };
  }
  return expressions;
}

function missingChecks(needs: Needs, known: Needs): readonly Expression[] {
  const checks: Expression[] = [];
  if (needs.family !== undefined && needs.family !== known.family) {
    if (known.family !== undefined) throw invalidObject('rule', 'it matches IPv4 and IPv6 at once');
    // include/uapi/linux/netfilter.h: NFPROTO_IPV4, NFPROTO_IPV6.
    checks.push(meta('nfproto', FIRST_REGISTER), cmp('eq', FIRST_REGISTER, Uint8Array.of(needs.family === 4 ? 2 : 10)));
  }
  if (needs.protocol !== undefined && needs.protocol !== known.protocol) {
    if (known.protocol !== undefined) throw invalidObject('rule', 'it matches two transport protocols at once');
    checks.push(meta('l4proto', FIRST_REGISTER), cmp('eq', FIRST_REGISTER, Uint8Array.of(needs.protocol)));
  }
  return checks;
}

const scratch = new AttributeWriter(4096);

/** 32 hex digits over everything the rule does and says; the same for equal content in any process. */
export function contentHash(expressions: readonly Expression[], comment: string | undefined): string {
  // The message the kernel would get is the content; a set made for the rule has only a number there, so it follows in words.
  scratch.clear();
  for (const expression of expressions) {
    encodeExpression(expression, scratch, NO_SET_IDS);
    if (expression.type === 'lookup' && typeof expression.set !== 'string') writeSetText(expression.set);
  }
  scratch.string(0, comment ?? '');
  return hash('sha1', scratch.bytes(), 'hex').slice(0, 32);
}

const NO_SET_IDS = { setId: (): number => 0, setName: numberedSetName };

function writeSetText(set: AnonymousSet): void {
  const data = set.data === undefined ? '' : ` : ${set.data === 'verdict' ? 'verdict' : set.data.join(' . ')}`;
  const flags = `${set.interval === true ? 'interval' : ''} ${set.timeoutMs ?? ''} ${set.size ?? ''}`;
  scratch.string(0, `${set.key.join(' . ')}${data} ${flags}`);
  for (const member of set.members) {
    scratch.string(0, typeof member === 'string' ? member : printMember(set, member));
  }
}
