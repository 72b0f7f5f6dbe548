import { createHash } from 'node:crypto';
import { invalidObject } from './errors.js';
import { cmp } from './expressions/cmp.js';
import type { Expression } from './expressions/expression.js';
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
  const hash = contentHash(expressions, options.comment);
  if (options.comment === undefined) return { kind: 'rule', chain: of, expressions, hash };
  if (Buffer.byteLength(options.comment) > 128) {
    throw invalidObject(`rule of chain ${of.name}`, `comment "${options.comment}" is longer than 128 bytes`);
  }
  return { kind: 'rule', chain: of, expressions, comment: options.comment, hash };
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

/** 32 hex digits over everything the rule does and says; the same for equal content in any process. */
export function contentHash(expressions: readonly Expression[], comment: string | undefined): string {
  const canonical = `${comment ?? ''}\n${canonicalText(expressions)}`;
  return createHash('sha1').update(canonical).digest('hex').slice(0, 32);
}

/** One text for one value: property order is the constructors' own, absent and undefined are the same. */
function canonicalText(value: unknown): string {
  if (value instanceof Uint8Array)
    return `x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    let text = '{';
    for (const [key, inner] of Object.entries(value))
      if (inner !== undefined) text += `${key}:${canonicalText(inner)};`;
    return `${text}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
