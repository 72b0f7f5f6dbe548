import { sleep, systemClock, TimeSlice } from '../base/clock.js';
import { UnavailableError } from '../base/errors.js';
import { type Attribute, Attributes } from '../netlink/attributes.js';
import { isErrno } from '../netlink/errors.js';
import { type Message, oneRequest } from '../netlink/message.js';
import type { NetlinkSocket } from '../netlink/socket.js';
import { elementIdentity, readElementList, readElements, writeElementsOf } from './element-codec.js';
import type { Expression } from './expressions/expression.js';
import type { ReadOptions, RuleRef, SeenChain, SeenElement, SeenRule, SeenSet, SeenTable } from './nftables.js';
import type { AnySet, ChainId, Counter, NftMap, Table, TableId } from './objects.js';
import { type DecodedRule, readExpressions, readRule, writeRulePlace } from './rule-codec.js';
import { type DecodedSet, readSet, writeSetsOf } from './set-codec.js';
import { readChain, readCounter, readTable, writeCountersOf, writeTableName } from './table-codec.js';
import { type MessageName, NFGENMSG_LENGTH, messageType, readFamily, writeGenmsg } from './wire.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_gen_attributes.
const NFTA_GEN_ID = 1;
const ENOENT = 2;
const ATTEMPTS = 10;
/** An answer that is there already is read without giving up the turn, so many small dumps would make one long turn. */
const SLICE_MS = 10;
/** Rules between two looks at the clock. */
const STRIDE = 200;
/** The same for elements, which take less. */
const ELEMENTS_STRIDE = 5000;
/** First wait for a set that grows; then twice as long each time, one second in all. */
const GROWING_MS = 1;

/** The ruleset's generation. */
export async function readGeneration(socket: NetlinkSocket): Promise<number> {
  const what = (): string => 'read the ruleset generation';
  const [reply] = await socket.request(
    oneRequest({ type: messageType('GETGEN'), what }, (into) => writeGenmsg(into, undefined)),
  );
  if (reply === undefined) throw new UnavailableError('ERR_CALI_NFT_NO_REPLY', 'the kernel gave no ruleset generation');
  return attributesOf(reply).u32BE(NFTA_GEN_ID) ?? 0;
}

function attributesOf(message: Message): Attributes {
  return new Attributes(message.payload.subarray(NFGENMSG_LENGTH));
}

/** All tables of the namespace. */
export async function readTables(socket: NetlinkSocket): Promise<readonly Table[]> {
  const what = (): string => 'list tables';
  const messages = await socket.dump(
    oneRequest({ type: messageType('GETTABLE'), what }, (into) => writeGenmsg(into, undefined)),
  );
  return messages.flatMap((message) => {
    const family = readFamily(message.payload);
    const table = family === undefined ? undefined : readTable(family, attributesOf(message));
    return table === undefined ? [] : [table];
  });
}

/**
 * One table at one generation: dumps everything, and again when somebody committed meanwhile.
 *
 * @throws {UnavailableError} `ERR_CALI_NFT_UNSTEADY` when it changed, or a set in it grew, during each of ten attempts
 */
export async function readTableSteady(
  socket: NetlinkSocket,
  id: TableId,
  options: ReadOptions,
): Promise<SeenTable | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    options.signal?.throwIfAborted();
    const generation = await readGeneration(socket);
    const table = await readTableHead(socket, id);
    if (table === undefined) return undefined;
    const seen = await readParts(socket, table, generation, options).catch((error: unknown) => {
      // Something was deleted between two dumps: the generation will differ too.
      if (isErrno(error, ENOENT)) return undefined;
      throw error;
    });
    if (seen !== undefined && (await readGeneration(socket)) === generation) return seen;
  }
  throw new UnavailableError(
    'ERR_CALI_NFT_UNSTEADY',
    `cannot read table ${id.family} ${id.name}: it changed during each of ${ATTEMPTS} attempts`,
  );
}

/** The rules of one chain, without what they do. */
export async function readChainRules(socket: NetlinkSocket, chain: ChainId): Promise<readonly RuleRef[]> {
  const place = { tableName: chain.table.name, chainName: chain.name };
  const messages = await dump(socket, 'GETRULE', chain.table, (into) => writeRulePlace(into, place));
  return messages.flatMap((message) => readRule(attributesOf(message)) ?? []);
}

async function readTableHead(socket: NetlinkSocket, id: TableId): Promise<Table | undefined> {
  const what = (): string => `read table ${id.family} ${id.name}`;
  const request = oneRequest({ type: messageType('GETTABLE'), what }, (into) => {
    writeGenmsg(into, id.family);
    writeTableName(into, id.name);
  });
  const messages = await socket.request(request).catch((error: unknown) => {
    if (isErrno(error, ENOENT)) return [];
    throw error;
  });
  const [message] = messages;
  return message === undefined ? undefined : readTable(id.family, attributesOf(message));
}

type Filter = Parameters<NonNullable<Parameters<typeof oneRequest>[1]>>[0];

async function dump(
  socket: NetlinkSocket,
  name: MessageName,
  id: TableId,
  filter: (into: Filter) => void,
): Promise<Message[]> {
  const what = (): string => `read ${name.slice(3).toLowerCase()}s of table ${id.family} ${id.name}`;
  return socket.dump(
    oneRequest({ type: messageType(name), what }, (into) => {
      writeGenmsg(into, id.family);
      filter(into);
    }),
  );
}

async function readParts(
  socket: NetlinkSocket,
  table: Table,
  generation: number,
  options: ReadOptions,
): Promise<SeenTable> {
  const pacer = new TimeSlice(systemClock, SLICE_MS);
  const decoded = await readSets(socket, table);
  const sets = new Map<string, SeenSet>();
  const anonymous = new Map<string, SeenSet>();
  for (const { set, anonymous: isAnonymous } of decoded) {
    const wanted = isAnonymous || options.withoutElements !== true;
    const seen = new LazySet(set, wanted ? await readSetElements(socket, table, set, pacer) : []);
    (isAnonymous ? anonymous : sets).set(set.name, seen);
    await pacer.pause();
  }
  const chains = await readChains(socket, table);
  const rulesByChain = new Map<string, SeenRule[]>();
  for (const name of chains.keys()) rulesByChain.set(name, []);
  for (const rule of await readRules(socket, table, pacer)) {
    rulesByChain.get(rule.chain)?.push(new LazyRule(rule, anonymous));
  }
  const seenChains = new Map<string, SeenChain>();
  for (const [name, chain] of chains) seenChains.set(name, { chain, rules: rulesByChain.get(name) ?? [] });
  return { table, generation, chains: seenChains, sets, counters: await readCounters(socket, table) };
}

async function readChains(socket: NetlinkSocket, id: TableId): Promise<ReadonlyMap<string, SeenChain['chain']>> {
  const chains = new Map<string, SeenChain['chain']>();
  // The kernel cannot filter chains by table; other tables' are passed over.
  for (const message of await dump(socket, 'GETCHAIN', id, () => undefined)) {
    const chain = readChain(id.family, attributesOf(message));
    if (chain?.table.name === id.name) chains.set(chain.name, chain);
  }
  return chains;
}

async function readRules(socket: NetlinkSocket, id: TableId, pacer: TimeSlice): Promise<readonly DecodedRule[]> {
  const messages = await dump(socket, 'GETRULE', id, (into) => writeRulePlace(into, { tableName: id.name }));
  const rules: DecodedRule[] = [];
  for (const [index, message] of messages.entries()) {
    const rule = readRule(attributesOf(message));
    if (rule?.tableName === id.name) rules.push(rule);
    if (index % STRIDE === 0) await pacer.pause();
  }
  return rules;
}

async function readSets(socket: NetlinkSocket, id: TableId): Promise<readonly DecodedSet[]> {
  const messages = await dump(socket, 'GETSET', id, (into) => writeSetsOf(into, id.name));
  return messages.flatMap((message) => readSet(id.family, attributesOf(message)) ?? []);
}

async function readCounters(socket: NetlinkSocket, id: TableId): Promise<ReadonlyMap<string, Counter>> {
  const counters = new Map<string, Counter>();
  for (const message of await dump(socket, 'GETOBJ', id, (into) => writeCountersOf(into, id))) {
    const counter = readCounter(id.family, attributesOf(message));
    if (counter?.table.name === id.name) counters.set(counter.name, counter);
  }
  return counters;
}

/**
 * A hash set grows some time after the commit that filled it. The kernel goes on with a dump by counting how many elements it gave, so a
 * dump while elements move to the larger table gives some twice and leaves others out, and says nothing of it: no generation passes. One
 * that leaves some out gives at least as many twice.
 */
async function readSetElements(
  socket: NetlinkSocket,
  id: TableId,
  set: AnySet,
  pacer: TimeSlice,
): Promise<readonly Attribute[]> {
  const head = { tableName: id.name, setName: set.name };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await sleep(systemClock, GROWING_MS * 2 ** attempt);
    const messages = await dump(socket, 'GETSETELEM', id, (into) => writeElementsOf(into, head));
    const elements = messages.flatMap((message) => readElementList(attributesOf(message)).elements);
    // Intervals lie in trees and arrays, which only a commit changes.
    if (set.interval === true || !(await hasRepeated(elements, pacer))) return elements;
  }
  throw new UnavailableError(
    'ERR_CALI_NFT_UNSTEADY',
    `cannot read set ${id.family} ${id.name} ${set.name}: its elements moved during each of ${ATTEMPTS} attempts`,
  );
}

async function hasRepeated(elements: readonly Attribute[], pacer: TimeSlice): Promise<boolean> {
  const met = new Set<string>();
  for (const [index, element] of elements.entries()) {
    met.add(elementIdentity(element));
    if (index % ELEMENTS_STRIDE === 0) await pacer.pause();
  }
  return met.size < elements.length;
}

class LazySet implements SeenSet {
  readonly set: AnySet;
  readonly #encoded: readonly Attribute[];
  #elements: readonly SeenElement[] | undefined;

  constructor(set: AnySet, encoded: readonly Attribute[]) {
    this.set = set;
    this.#encoded = encoded;
  }

  get elements(): readonly SeenElement[] {
    this.#elements ??= readElements(this.set, this.#encoded);
    return this.#elements;
  }
}

/** Reading ten thousand rules back must be cheap when nothing differs: then only comment and hash are ever looked at. */
class LazyRule implements SeenRule {
  readonly handle: number;
  readonly comment?: string;
  readonly hash?: string;
  readonly #encoded: Uint8Array;
  readonly #anonymous: ReadonlyMap<string, SeenSet>;
  #expressions: readonly Expression[] | undefined;

  constructor(rule: DecodedRule, anonymous: ReadonlyMap<string, SeenSet>) {
    this.handle = rule.handle;
    if (rule.comment !== undefined) this.comment = rule.comment;
    if (rule.hash !== undefined) this.hash = rule.hash;
    this.#encoded = rule.encodedExpressions;
    this.#anonymous = anonymous;
  }

  get expressions(): readonly Expression[] {
    this.#expressions ??= readExpressions(this.#encoded).map((expression) => this.#withItsSet(expression));
    return this.#expressions;
  }

  #withItsSet(expression: Expression): Expression {
    if (expression.type !== 'lookup' || typeof expression.set !== 'string') return expression;
    const seen = this.#anonymous.get(expression.set);
    if (seen === undefined) return expression;
    const { key, interval, constant } = seen.set;
    const data: Partial<Pick<NftMap, 'data'>> = seen.set.kind === 'map' ? { data: seen.set.data } : {};
    const flags = { ...(interval === true ? { interval } : {}), ...(constant === true ? { constant } : {}) };
    return { ...expression, set: { key, ...flags, ...data, members: seen.elements } };
  }
}
