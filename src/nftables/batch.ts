import { systemClock, TimeSlice } from '../base/clock.js';
import type { AttributeWriter } from '../netlink/attributes.js';
import {
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  type RequestHead,
  Requests,
} from '../netlink/message.js';
import { type MemberShape, writeElementsOf, writeMembers } from './element-codec.js';
import { type AnonymousSet, numberedSetName } from './expressions/lookup.js';
import type { Operation } from './nftables.js';
import type { AnySet, Elements, Member, Rule, TableId } from './objects.js';
import { writeRule, writeRulePlace } from './rule-codec.js';
import { type SetToWrite, writeSet, writeSetName } from './set-codec.js';
import {
  writeChain,
  writeChainName,
  writeCounter,
  writeCounterName,
  writeTable,
  writeTableName,
} from './table-codec.js';
import {
  type MessageName,
  NFNL_BATCH_GENID,
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
  messageType,
  writeBatchGenmsg,
  writeGenmsg,
} from './wire.js';

/** What a message of a batch came from, so that a refusal can be told in words. */
export interface Origin {
  readonly operation: Operation;
  /** For messages of elements: the index of the first member it holds. */
  readonly membersFrom?: number;
}

/** How long writing may keep the event loop. */
const SLICE_MS = 5;

/** Verb of the operation in flags of a message that makes something. */
const MAKING_FLAGS = { add: NLM_F_CREATE, create: NLM_F_CREATE | NLM_F_EXCL } as const;

/**
 * Operations as one netlink batch: BEGIN, one message for each (several for many elements; one or two more for each set made
 * for a rule alone), END. Only the last before END asks for an acknowledgement; the kernel reports every refusal unasked.
 */
export class Batch {
  readonly requests: Requests;
  readonly #origins: (Origin | undefined)[] = [];
  /** The newest set made for each description. */
  readonly #made = new Map<AnonymousSet, { readonly id: number; readonly name: string }>();
  readonly #nameOf: (set: AnonymousSet) => string;
  #nextSetId = 1;
  #current: Operation | undefined;

  private constructor(operations: number, nameOf: (set: AnonymousSet) => string) {
    this.#nameOf = nameOf;
    this.requests = new Requests(operations > 64 ? 256 * 1024 : 4096);
  }

  /** Writes everything at once. @throws {CalicoError} a value that is none of its type */
  static of(operations: readonly Operation[], generation?: number): Batch {
    const batch = new Batch(operations.length, numberedSetName);
    const steps = batch.#write(operations, generation);
    while (steps.next().done !== true);
    return batch;
  }

  /**
   * The same in slices: lets the event loop turn when one has taken long.
   *
   * @param nameOf gives each anonymous set a name that no set of its table has
   * @throws {CalicoError}
   */
  static async inSlices(
    operations: readonly Operation[],
    generation: number | undefined,
    nameOf: (set: AnonymousSet) => string,
  ): Promise<Batch> {
    const batch = new Batch(operations.length, nameOf);
    const slice = new TimeSlice(systemClock, SLICE_MS);
    for (const _ of batch.#write(operations, generation)) if (slice.isUsedUp) await slice.pause();
    return batch;
  }

  /** Stops after each message or so. */
  *#write(operations: readonly Operation[], generation: number | undefined): Generator<void> {
    this.#add({ type: NFNL_MSG_BATCH_BEGIN }, (into) => {
      writeBatchGenmsg(into);
      if (generation !== undefined) into.u32BE(NFNL_BATCH_GENID, generation);
    });
    for (const [index, operation] of operations.entries()) {
      this.#current = operation;
      const ack = index === operations.length - 1 ? NLM_F_ACK : 0;
      if (operation.verb !== 'delete-rule' && operation.object.kind === 'elements') {
        yield* this.#elements(operation.verb, operation.object, ack);
      } else {
        this.#operation(operation, ack);
        yield;
      }
    }
    this.#current = undefined;
    this.#add({ type: NFNL_MSG_BATCH_END }, writeBatchGenmsg);
  }

  /** Where message `index` comes from; undefined for BEGIN and END. */
  origin(index: number): Origin | undefined {
    return this.#origins[index];
  }

  /** The bytes of message `index`: a view, for finding what the kernel points at. */
  message(index: number): Buffer {
    return this.requests.datagram({ from: index, to: index + 1, sequence: 0, lastFlags: 0 });
  }

  #add(head: RequestHead, body: (into: AttributeWriter) => void, membersFrom?: number): void {
    this.requests.add(head, body);
    if (this.#current === undefined) this.#origins.push(undefined);
    else
      this.#origins.push(
        membersFrom === undefined ? { operation: this.#current } : { operation: this.#current, membersFrom },
      );
  }

  #message(name: MessageName, table: TableId, flags: number, body: (into: AttributeWriter) => void): void {
    this.#add({ type: messageType(name), flags }, (into) => {
      writeGenmsg(into, table.family);
      body(into);
    });
  }

  #operation(operation: Operation, ack: number): void {
    switch (operation.verb) {
      case 'add':
      case 'create':
        if (operation.object.kind === 'rule') {
          const beside = 'beside' in operation ? operation.beside : undefined;
          this.#rule(operation.object, NLM_F_CREATE | NLM_F_APPEND | ack, { beside });
        } else this.#make(operation.object, MAKING_FLAGS[operation.verb], ack);
        break;
      case 'insert':
        this.#rule(operation.object, NLM_F_CREATE | ack, { beside: operation.beside });
        break;
      case 'replace':
        this.#rule(operation.object, NLM_F_REPLACE | ack, { handle: operation.handle });
        break;
      case 'delete-rule': {
        const { chain, handle } = operation;
        this.#message('DELRULE', chain.table, ack, (into) =>
          writeRulePlace(into, { tableName: chain.table.name, chainName: chain.name, handle }),
        );
        break;
      }
      case 'delete':
        this.#delete(operation.object, ack);
        break;
      case 'flush':
        this.#flush(operation.object, ack);
        break;
    }
  }

  #make(
    object: Exclude<Extract<Operation, { verb: 'add' | 'create' }>['object'], Rule>,
    makingFlags: number,
    ack: number,
  ): void {
    const flags = makingFlags | ack;
    switch (object.kind) {
      case 'table':
        this.#message('NEWTABLE', object, flags, (into) => writeTable(into, object));
        break;
      case 'chain':
        this.#message('NEWCHAIN', object.table, flags, (into) => writeChain(into, object));
        break;
      case 'set':
      case 'map':
        this.#message('NEWSET', object.table, flags, (into) => writeSet(into, this.#setToWrite(object)));
        break;
      case 'counter':
        this.#message('NEWOBJ', object.table, flags, (into) => writeCounter(into, object));
        break;
      case 'elements':
        break;
    }
  }

  #setToWrite(set: AnySet): SetToWrite {
    const id = this.#nextSetId;
    this.#nextSetId += 1;
    return { ...set, tableName: set.table.name, id };
  }

  #delete(object: Extract<Operation, { verb: 'delete' }>['object'], ack: number): void {
    switch (object.kind) {
      case 'table':
        this.#message('DELTABLE', object, ack, (into) => writeTableName(into, object.name));
        break;
      case 'chain':
        this.#message('DELCHAIN', object.table, ack, (into) => writeChainName(into, object.table.name, object.name));
        break;
      case 'set':
      case 'map':
        this.#message('DELSET', object.table, ack, (into) => writeSetName(into, object.table.name, object.name));
        break;
      case 'counter':
        this.#message('DELOBJ', object.table, ack, (into) => writeCounterName(into, object.table.name, object.name));
        break;
      case 'elements':
        break;
    }
  }

  #flush(object: Extract<Operation, { verb: 'flush' }>['object'], ack: number): void {
    if (object.kind === 'table' || object.kind === 'chain') {
      const table: TableId = object.kind === 'table' ? object : object.table;
      const place =
        object.kind === 'table' ? { tableName: object.name } : { tableName: table.name, chainName: object.name };
      this.#message('DELRULE', table, ack, (into) => writeRulePlace(into, place));
      return;
    }
    const head = { tableName: object.table.name, setName: object.name };
    this.#message('DELSETELEM', object.table, ack, (into) => writeElementsOf(into, head));
  }

  #rule(rule: Rule, flags: number, at: { readonly handle?: number; readonly beside?: number | undefined }): void {
    for (const expression of rule.expressions) {
      if (expression.type === 'lookup' && typeof expression.set !== 'string') this.#anonymousSet(rule, expression.set);
    }
    this.#message('NEWRULE', rule.chain.table, flags, (into) =>
      writeRule(into, rule, at, {
        setId: (set) => this.#made.get(set)?.id ?? 0,
        setName: (set) => this.#made.get(set)?.name ?? '',
      }),
    );
  }

  /** A set of a rule's own: always made anew, also when two rules share the description. */
  #anonymousSet(rule: Rule, set: AnonymousSet): void {
    const { table } = rule.chain;
    const id = this.#nextSetId;
    this.#nextSetId += 1;
    const name = this.#nameOf(set);
    this.#made.set(set, { id, name });
    this.#message('NEWSET', table, NLM_F_CREATE, (into) =>
      writeSet(into, { ...set, constant: true, tableName: table.name, name, id, anonymous: true }),
    );
    const head = { tableName: table.name, setName: name, setId: id };
    const what = { table, head, shape: set, members: set.members };
    const steps = this.#members('NEWSETELEM', what, NLM_F_CREATE);
    while (steps.next().done !== true);
  }

  *#elements(verb: string, object: Elements, ack: number): Generator<void> {
    const { set, members } = object;
    const head = { tableName: set.table.name, setName: set.name };
    const making = verb === 'delete' ? 0 : MAKING_FLAGS[verb === 'create' ? 'create' : 'add'];
    const name = verb === 'delete' ? 'DELSETELEM' : 'NEWSETELEM';
    yield* this.#members(name, { table: set.table, head, shape: set, members }, making | ack);
  }

  *#members(
    name: MessageName,
    what: {
      readonly table: TableId;
      readonly head: { readonly tableName: string; readonly setName: string; readonly setId?: number };
      readonly shape: MemberShape;
      readonly members: readonly Member[];
    },
    flags: number,
  ): Generator<void> {
    const { members, shape } = what;
    // Whether this message is the last cannot be known before it is full, so all of many carry the acknowledgement flag.
    for (let from = 0; from < members.length;) {
      const start = from;
      this.#add(
        { type: messageType(name), flags },
        (into) => {
          writeGenmsg(into, what.table.family);
          from = writeMembers(into, what.head, shape, { members, from: start });
        },
        start,
      );
      yield;
    }
  }
}
