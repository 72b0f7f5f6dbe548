import type { Operation } from '../nftables/nftables.js';
import { type AnySet, type Member, type TableId, counter, elements, table } from '../nftables/objects.js';
import type { TableChange, WantedChain, WantedSet } from './wanted-table.js';

/** Members (a rule counts as several) in one transaction, above which what nothing refers to yet is sent ahead. */
const LARGE = 4000;
/** The same of each transaction sent ahead: about 5 ms of the kernel's time, which nothing can cut short. */
const STAGE = 1000;
/** What a rule, chain or set costs, measured in members. */
const OBJECT_WEIGHT = 4;

/** A verdict map points at chains: its members come after them. */
function pointsAtChains(set: AnySet): boolean {
  return set.kind === 'map' && set.data === 'verdict';
}

function weightOf(change: TableChange): number {
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return (
    sum(change.newSets.map(({ size }) => size)) +
    OBJECT_WEIGHT * (sum(change.newChains.map(({ rules }) => rules.length + 1)) + change.goneChains.length)
  );
}

/** By name of a chain, the operations that change it rule by rule; the others are written anew. */
export type ChainEdits = ReadonlyMap<string, readonly Operation[]>;

/**
 * The operations that make the change. Everything a packet can meet changes in one transaction; only when the change is large are
 * there several: before it new sets and chains to which nothing leads yet, after it the removal of those to which nothing leads any
 * more.
 */
export function transactionsOf(change: TableChange, edits: ChainEdits): readonly (readonly Operation[])[] {
  const create = creation(change);
  if (change.how === 'replace' || weightOf(change) <= LARGE) {
    return [[...create, ...newSets(change), ...newChains(change), ...switchOver(change, edits), ...removal(change)]];
  }
  const regular = change.newChains.filter(({ chain }) => chain.base === undefined);
  const base = change.newChains.filter(({ chain }) => chain.base !== undefined);
  const definitions = [...create, ...change.newSets.map(({ set }): Operation => ({ verb: 'add', object: set }))];
  const ahead = [
    ...inStages(definitions),
    ...inStages(memberOperations(change.newSets.filter(({ set }) => !pointsAtChains(set)))),
    ...inStages(regular.map(({ chain }): Operation => ({ verb: 'add', object: chain }))),
    ...inStages(ruleOperations(regular)),
  ];
  const visible = [
    ...base.map(({ chain }): Operation => ({ verb: 'add', object: chain })),
    ...ruleOperations(base),
    ...memberOperations(change.newSets.filter(({ set }) => pointsAtChains(set))),
    ...switchOver(change, edits),
  ];
  return [...ahead, visible, ...inStages(removal(change))].filter((operations) => operations.length > 0);
}

function inStages(operations: readonly Operation[]): readonly (readonly Operation[])[] {
  const stages: Operation[][] = [];
  let room = 0;
  for (const operation of operations) {
    if (room <= 0) {
      stages.push([]);
      room = STAGE;
    }
    stages.at(-1)?.push(operation);
    room -=
      'object' in operation && operation.object.kind === 'elements' ? operation.object.members.length : OBJECT_WEIGHT;
  }
  return stages;
}

function creation(change: TableChange): readonly Operation[] {
  const it = table(change.table.family, change.table.name);
  const made: Operation[] = change.how === 'keep' ? [] : [{ verb: 'add', object: it }];
  if (change.how === 'replace') made.unshift({ verb: 'delete', object: it });
  return [
    ...made,
    ...change.newCounters.map((name): Operation => ({ verb: 'add', object: counter(change.table, name) })),
  ];
}

function newSets(change: TableChange): readonly Operation[] {
  return [
    ...change.newSets.map(({ set }): Operation => ({ verb: 'add', object: set })),
    ...memberOperations(change.newSets.filter(({ set }) => !pointsAtChains(set))),
  ];
}

function newChains(change: TableChange): readonly Operation[] {
  return [
    ...change.newChains.map(({ chain }): Operation => ({ verb: 'add', object: chain })),
    ...ruleOperations(change.newChains),
    ...memberOperations(change.newSets.filter(({ set }) => pointsAtChains(set))),
  ];
}

function ruleOperations(chains: readonly WantedChain[]): readonly Operation[] {
  return chains.flatMap(({ rules }) => rules.map((object): Operation => ({ verb: 'add', object })));
}

function memberOperations(sets: readonly WantedSet[]): readonly Operation[] {
  return sets.flatMap((wanted) => {
    const members = [...wanted.members()];
    const chunks: Operation[] = [];
    for (let i = 0; i < members.length; i += STAGE) {
      chunks.push(addMembers(wanted.set, members.slice(i, i + STAGE)));
    }
    return chunks;
  });
}

function addMembers(set: AnySet, members: readonly Member[]): Operation {
  return { verb: 'add', object: elements(set, members) };
}

/** What is there already and becomes different. Members leave before others come, or intervals would overlap. */
function switchOver(change: TableChange, edits: ChainEdits): readonly Operation[] {
  const operations: Operation[] = [];
  for (const { chain, rules } of change.changedChains) {
    const edit = edits.get(chain.name);
    if (edit !== undefined) {
      operations.push(...edit);
      continue;
    }
    operations.push({ verb: 'flush', object: { kind: 'chain', table: chain.table, name: chain.name } });
    for (const object of rules) operations.push({ verb: 'add', object });
  }
  for (const { set, removed } of change.members) {
    if (removed.length > 0) operations.push({ verb: 'delete', object: elements(set, removed) });
  }
  for (const { set, added } of change.members) if (added.length > 0) operations.push(addMembers(set, added));
  for (const { set } of change.refilledSets) operations.push({ verb: 'flush', object: set });
  operations.push(...memberOperations(change.refilledSets));
  return operations;
}

/** All rules go before the first chain: chains that go may jump to each other. */
function removal(change: TableChange): readonly Operation[] {
  const chains = change.goneChains.map((name) => chainRef(change.table, name));
  return [
    ...chains.map((object): Operation => ({ verb: 'flush', object })),
    ...chains.map((object): Operation => ({ verb: 'delete', object })),
    ...change.goneSets.map((object): Operation => ({ verb: 'delete', object })),
    ...change.goneCounters.map((name): Operation => ({ verb: 'delete', object: counter(change.table, name) })),
  ];
}

function chainRef(
  of: TableId,
  name: string,
): { readonly kind: 'chain'; readonly table: TableId; readonly name: string } {
  return { kind: 'chain', table: of, name };
}
