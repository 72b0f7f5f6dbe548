import type { Expression } from '../expressions/expression.js';
import type { Operation } from '../nftables.js';
import type { AnySet, Chain, Counter, Elements, Rule, Table, TableId } from '../objects.js';
import type { Verdict } from '../verdict.js';
import { Refused, present } from './errors.js';
import { targetsOf } from './graph.js';
import { checkAnonymous, withMembers, withoutMembers } from './members.js';
import { type FakeChain, type FakeTable, type Tables, copyTable, tableKey } from './state.js';

/** One commit under way: tables are copied when first touched. */
export class Change {
  readonly tables: Tables;
  readonly #touched = new Set<string>();

  constructor(tables: Tables) {
    this.tables = new Map(tables);
  }

  /** The tables that were changed and still are there. */
  touched(): FakeTable[] {
    return [...this.#touched].flatMap((key) => this.tables.get(key) ?? []);
  }

  /** @throws {Refused} where the kernel would */
  apply(operation: Operation): void {
    switch (operation.verb) {
      case 'add':
      case 'create':
        if (operation.object.kind !== 'rule') this.#make(operation.object, operation.verb);
        else this.#addRule(operation.object, 'add', 'beside' in operation ? operation.beside : undefined);
        break;
      case 'insert':
        this.#addRule(operation.object, 'insert', operation.beside);
        break;
      case 'replace':
        this.#replaceRule(operation.object, operation.handle);
        break;
      case 'delete-rule': {
        const { table, fakeChain, index } = this.#ruleAt(operation.chain, operation.handle);
        setRules(table, fakeChain, fakeChain.rules.toSpliced(index, 1));
        break;
      }
      case 'delete':
        this.#delete(operation.object);
        break;
      case 'flush':
        this.#flush(operation.object);
        break;
    }
  }

  #table(id: TableId): FakeTable {
    const key = tableKey(id);
    const table = present(this.tables.get(key));
    if (this.#touched.has(key)) return table;
    this.#touched.add(key);
    const copy = copyTable(table);
    this.tables.set(key, copy);
    return copy;
  }

  #make(object: Table | Chain | AnySet | Counter | Elements, verb: 'add' | 'create'): void {
    switch (object.kind) {
      case 'table':
        this.#makeTable(object, verb);
        break;
      case 'chain':
        makeChain(this.#table(object.table), object, verb);
        break;
      case 'set':
      case 'map':
        makeSet(this.#table(object.table), object, verb);
        break;
      case 'counter': {
        const { counters } = this.#table(object.table);
        if (counters.has(object.name)) refuseIf(verb === 'create', 'EEXIST');
        else counters.set(object.name, { packets: 0n, bytes: 0n, ...object, table: bare(object.table) });
        break;
      }
      case 'elements': {
        const table = this.#table(object.set.table);
        const there = present(table.sets.get(object.set.name));
        refuseIf(there.set.constant === true && there.elements.size > 0, 'EBUSY');
        table.sets.set(
          object.set.name,
          withMembers(there, object, verb, (verdict) => checkTarget(table, verdict)),
        );
        break;
      }
    }
  }

  #makeTable(object: Table, verb: 'add' | 'create'): void {
    const key = tableKey(object);
    if (this.tables.has(key)) {
      refuseIf(verb === 'create', 'EEXIST');
      return;
    }
    this.#touched.add(key);
    this.tables.set(key, { table: object, chains: new Map(), sets: new Map(), counters: new Map(), nextHandle: 1 });
  }

  #addRule(rule: Rule, verb: 'add' | 'insert', beside: number | undefined): void {
    const table = this.#table(rule.chain.table);
    const fakeChain = present(table.chains.get(rule.chain.name));
    checkRule(table, rule);
    const { rules } = fakeChain;
    let index = verb === 'add' ? rules.length : 0;
    if (beside !== undefined) {
      const there = rules.findIndex(({ handle }) => handle === beside);
      refuseIf(there < 0, 'ENOENT');
      index = verb === 'add' ? there + 1 : there;
    }
    setRules(table, fakeChain, rules.toSpliced(index, 0, { handle: nextHandle(table), rule }));
  }

  #replaceRule(rule: Rule, handle: number): void {
    const { table, fakeChain, index } = this.#ruleAt(rule.chain, handle);
    checkRule(table, rule);
    // The kernel keeps the handle of a rule that is replaced.
    setRules(table, fakeChain, fakeChain.rules.with(index, { handle, rule }));
  }

  #ruleAt(
    at: { readonly table: TableId; readonly name: string },
    handle: number,
  ): { readonly table: FakeTable; readonly fakeChain: FakeChain; readonly index: number } {
    const table = this.#table(at.table);
    const fakeChain = present(table.chains.get(at.name));
    const index = fakeChain.rules.findIndex((rule) => rule.handle === handle);
    refuseIf(index < 0, 'ENOENT');
    return { table, fakeChain, index };
  }

  #delete(object: Extract<Operation, { verb: 'delete' }>['object']): void {
    if (object.kind === 'table') {
      refuseIf(!this.tables.delete(tableKey(object)), 'ENOENT');
      return;
    }
    const table = this.#table(object.kind === 'elements' ? object.set.table : object.table);
    switch (object.kind) {
      case 'chain':
        deleteChain(table, object.name);
        break;
      case 'set':
      case 'map':
        present(table.sets.get(object.name));
        refuseIf(
          isUsed(table, (expression) => expression.type === 'lookup' && expression.set === object.name),
          'EBUSY',
        );
        table.sets.delete(object.name);
        break;
      case 'counter':
        present(table.counters.get(object.name));
        refuseIf(
          isUsed(table, (expression) => expression.type === 'objref' && expression.name === object.name),
          'EBUSY',
        );
        table.counters.delete(object.name);
        break;
      case 'elements':
        table.sets.set(object.set.name, withoutMembers(present(table.sets.get(object.set.name)), object));
        break;
    }
  }

  #flush(object: Extract<Operation, { verb: 'flush' }>['object']): void {
    const table = this.#table(object.kind === 'table' ? object : object.table);
    if (object.kind === 'table') {
      for (const fakeChain of table.chains.values()) setRules(table, fakeChain, []);
    } else if (object.kind === 'chain') {
      setRules(table, present(table.chains.get(object.name)), []);
    } else {
      const { set } = present(table.sets.get(object.name));
      table.sets.set(object.name, { set, elements: new Map() });
    }
  }
}

function refuseIf(condition: boolean, errno: Refused['errno']): void {
  if (condition) throw new Refused(errno);
}

function bare(id: TableId): TableId {
  return { family: id.family, name: id.name };
}

function nextHandle(table: FakeTable): number {
  const handle = table.nextHandle;
  table.nextHandle += 1;
  return handle;
}

function setRules(table: FakeTable, fakeChain: FakeChain, rules: FakeChain['rules']): void {
  table.chains.set(fakeChain.chain.name, { chain: fakeChain.chain, rules });
}

function makeChain(table: FakeTable, object: Chain, verb: 'add' | 'create'): void {
  const there = table.chains.get(object.name);
  const base = object.base === undefined ? {} : { base: { policy: 'accept' as const, ...object.base } };
  const made = { ...object, ...base, table: bare(object.table) };
  if (there === undefined) {
    table.chains.set(object.name, { chain: made, rules: [] });
    return;
  }
  refuseIf(verb === 'create', 'EEXIST');
  if (made.base === undefined || there.chain.base === undefined) {
    refuseIf(made.base !== undefined, 'EEXIST');
    return;
  }
  const [{ policy, ...wanted }, { policy: _, ...present }] = [made.base, there.chain.base];
  refuseIf(JSON.stringify(sorted(wanted)) !== JSON.stringify(sorted(present)), 'EOPNOTSUPP');
  const changed = { ...there.chain.base, ...(policy === undefined ? {} : { policy }) };
  table.chains.set(object.name, { ...there, chain: { ...there.chain, base: changed } });
}

function sorted(value: object): readonly unknown[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function makeSet(table: FakeTable, object: AnySet, verb: 'add' | 'create'): void {
  const there = table.sets.get(object.name);
  const made = { ...object, table: bare(object.table) };
  if (there === undefined) {
    table.sets.set(object.name, { set: made, elements: new Map() });
    return;
  }
  const differs = JSON.stringify(shapeOf(made)) !== JSON.stringify(shapeOf(there.set));
  refuseIf(verb === 'create' || differs, 'EEXIST');
}

function shapeOf(set: AnySet): readonly unknown[] {
  const flags = [set.interval === true, set.constant === true, set.timeoutMs, set.size];
  return [set.kind, set.key, set.kind === 'map' ? set.data : undefined, ...flags];
}

function checkTarget(table: FakeTable, verdict: Verdict): void {
  if (!('chain' in verdict)) return;
  refuseIf(present(table.chains.get(verdict.chain)).chain.base !== undefined, 'EOPNOTSUPP');
}

function checkRule(table: FakeTable, rule: Rule): void {
  for (const expression of rule.expressions) {
    if (expression.type === 'verdict') checkTarget(table, expression.verdict);
    if (expression.type === 'objref') present(table.counters.get(expression.name));
    if (expression.type === 'lookup') checkLookup(table, expression);
  }
}

function checkLookup(table: FakeTable, expression: Extract<Expression, { type: 'lookup' }>): void {
  const { set } = expression;
  if (typeof set !== 'string') {
    checkAnonymous(set, (verdict) => checkTarget(table, verdict));
    return;
  }
  const there = present(table.sets.get(set));
  // A map may serve as the set of its keys; a set has no value to give.
  refuseIf(there.set.kind === 'set' && expression.dreg !== undefined, 'EINVAL');
}

function isUsed(table: FakeTable, uses: (expression: Expression) => boolean): boolean {
  for (const { rules } of table.chains.values()) {
    if (rules.some(({ rule }) => rule.expressions.some(uses))) return true;
  }
  return false;
}

/** A chain goes with its rules, unless something else leads to it. */
function deleteChain(table: FakeTable, name: string): void {
  present(table.chains.get(name));
  for (const { chain, rules } of table.chains.values()) {
    if (chain.name === name) continue;
    const leads = rules.some(({ rule }) => rule.expressions.some((expression) => namesChain(expression, name)));
    refuseIf(leads, 'EBUSY');
  }
  for (const { elements } of table.sets.values()) {
    for (const { seen } of elements.values()) {
      refuseIf(seen.verdict !== undefined && 'chain' in seen.verdict && seen.verdict.chain === name, 'EBUSY');
    }
  }
  table.chains.delete(name);
}

const NO_TABLE: FakeTable = {
  table: { kind: 'table', family: 'inet', name: '' },
  chains: new Map(),
  sets: new Map(),
  counters: new Map(),
  nextHandle: 1,
};

/** By itself, not through a named map: the map's own elements are looked at separately. */
function namesChain(expression: Expression, name: string): boolean {
  return targetsOf(NO_TABLE, expression).includes(name);
}
