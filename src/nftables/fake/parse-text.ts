import type { Datatype } from '../datatypes.js';
import type { Operation } from '../nftables.js';
import {
  type AnySet,
  type BaseChain,
  type Hook,
  type Member,
  type SetShape,
  type TableFamily,
  type TableId,
  baseChain,
  chain,
  counter,
  elements,
  table,
} from '../objects.js';
import { parseDuration, parseMember } from './parse-member.js';
import { parseRule } from './parse-rule.js';
import { Tokens } from './tokens.js';

/** A block of the listing: its head line and the lines between its braces. */
interface Block {
  readonly kind: string;
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * Reads a ruleset as `nft --stateless list ruleset` prints it (as far as this library's own statements go) into the operations
 * that make it.
 *
 * @throws {CalicoError} `ERR_CALI_NFT_TEXT`
 */
export function parseRuleset(text: string): readonly Operation[] {
  // nft breaks long lists of elements after a comma.
  const lines = text.replaceAll(/,\n\s+/g, ', ').split('\n');
  const operations: Operation[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const head = /^table (\S+) (\S+) \{$/.exec(lines[at] ?? '');
    if (head === null) continue;
    const end = lines.indexOf('}', at);
    const id = { family: (head[1] ?? 'inet') as TableFamily, name: head[2] ?? '' };
    operations.push(...parseTable(id, lines.slice(at + 1, end)));
    at = end;
  }
  return operations;
}

function parseTable(id: TableId, lines: readonly string[]): readonly Operation[] {
  const comment = lines.map((line) => /^\tcomment "(.*)"$/.exec(line)?.[1]).find((text) => text !== undefined);
  const blocks = blocksOf(lines);
  const made: Operation[] = [
    { verb: 'add', object: table(id.family, id.name, comment === undefined ? {} : { comment }) },
  ];
  const filled: Operation[] = [];
  // Chains first: what refers to them may stand anywhere.
  for (const block of blocks.filter(({ kind }) => kind === 'chain')) {
    made.push({ verb: 'add', object: parseChain(id, block) });
    for (const line of block.lines.filter((text) => !isChainHead(text))) {
      filled.push({ verb: 'add', object: parseRule({ table: id, name: block.name }, new Tokens(line)) });
    }
  }
  for (const block of blocks) {
    if (block.kind === 'counter') made.push({ verb: 'add', object: counter(id, block.name, commentOf(block.lines)) });
    if (block.kind === 'set' || block.kind === 'map') {
      const { set, members } = parseSet(id, block);
      made.push({ verb: 'add', object: set });
      if (members.length > 0) made.push({ verb: 'add', object: elements(set, members) });
    }
  }
  return [...made, ...filled];
}

function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  lines.forEach((line, at) => {
    const head = /^\t(set|map|chain|counter) (\S+) \{$/.exec(line);
    if (head === null) return;
    const end = lines.indexOf('\t}', at);
    const body = lines.slice(at + 1, end).map((text) => text.trim());
    blocks.push({ kind: head[1] ?? '', name: head[2] ?? '', lines: body });
  });
  return blocks;
}

function commentOf(lines: readonly string[]): { readonly comment?: string } {
  const line = lines.find((text) => text.startsWith('comment "'));
  return line === undefined ? {} : { comment: line.slice('comment "'.length, -1) };
}

function isChainHead(line: string): boolean {
  return line.startsWith('type ') || line.startsWith('comment "');
}

const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['raw', -300],
  ['mangle', -150],
  ['dstnat', -100],
  ['filter', 0],
  ['security', 50],
  ['srcnat', 100],
]);

function parseChain(id: TableId, { name, lines }: Block): ReturnType<typeof chain> {
  const type = lines.find((line) => line.startsWith('type '));
  if (type === undefined) return chain(id, name, commentOf(lines));
  const tokens = new Tokens(type);
  tokens.expect('type');
  const chainType = tokens.next() as BaseChain['type'];
  tokens.expect('hook');
  const hook = tokens.next() as Hook;
  tokens.expect('priority');
  const named = tokens.next();
  let priority = PRIORITIES.get(named) ?? Number(named);
  if (tokens.take('-')) priority -= Number(tokens.next());
  else if (tokens.take('+')) priority += Number(tokens.next());
  tokens.expect(';');
  tokens.expect('policy');
  const policy = tokens.next() === 'drop' ? 'drop' : 'accept';
  return { ...baseChain(id, name, { type: chainType, hook, priority, policy }), ...commentOf(lines) };
}

function parseSet(id: TableId, { kind, name, lines }: Block): { readonly set: AnySet; readonly members: Member[] } {
  const [, dataText] = (wordsAfter(lines, 'type') ?? '').split(' : ');
  const shape = { table: id, name, ...parseShape(lines), ...commentOf(lines) };
  const listed = new Tokens(wordsAfter(lines, 'elements') ?? '');
  const items = listed.take('=', '{') ? listed.list() : [];
  if (kind === 'set') {
    return { set: { kind: 'set', ...shape }, members: items.map((item) => parseMember(item, undefined)) };
  }
  const data = dataText === undefined || dataText === 'verdict' ? 'verdict' : (dataText.split(' . ') as Datatype[]);
  const holds = data === 'verdict' ? 'verdict' : 'value';
  return { set: { kind: 'map', ...shape, data }, members: items.map((item) => parseMember(item, holds)) };
}

/** What stands after the word that begins a line. */
function wordsAfter(lines: readonly string[], word: string): string | undefined {
  return lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
}

function parseShape(lines: readonly string[]): SetShape {
  const [keyText = ''] = (wordsAfter(lines, 'type') ?? '').split(' : ');
  const flags = wordsAfter(lines, 'flags')?.split(',') ?? [];
  const timeout = wordsAfter(lines, 'timeout');
  const size = wordsAfter(lines, 'size');
  return {
    key: keyText.split(' . ') as Datatype[],
    ...(flags.includes('interval') ? { interval: true } : {}),
    ...(flags.includes('constant') ? { constant: true } : {}),
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout) }),
    ...(size === undefined ? {} : { size: Number(size) }),
  };
}
