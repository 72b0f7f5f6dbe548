import { durationMs } from '../../api/fields.js';
import { suggestion } from '../../api/issues.js';
import { type Clock, systemClock } from '../../base/clock.js';
import { type Client, resourceId } from '../../client/client.js';
import { type Call, type Context, textOption } from '../command.js';
import { refuseUnknownPath } from './field-tree.js';
import { askedName, followResources } from './follow-resources.js';
import { bad, keysOf, type Query, queryOf, type StoredResource } from './get-query.js';
import { parsePath, type ResourcePath, textOf, valueAt } from './resource-path.js';
import { INTERRUPTED } from '../messages.js';
import { line, type Result } from '../result.js';

/** What is waited for. */
export interface WaitCondition {
  /** After the name of a resource: `is gone`. */
  readonly met: string;
  /** The field it looks at. */
  readonly path?: ResourcePath;
  isMet(resource: StoredResource['value'] | undefined): boolean;
  /** After the name of a resource for which it is not met. */
  unmet(resource: StoredResource['value'] | undefined): string;
}

const DEFAULT_TIMEOUT = '30s';
const ABSENT = 'does not exist';
const WORDS = ['create', 'delete', 'condition', 'jsonpath'];

function fieldCondition(text: string): WaitCondition {
  const [, braced, plain = '', wanted] = /^(?:\{([^}]*)\}|([^=]*))(?:=(.*))?$/s.exec(text) ?? [];
  const name = braced ?? plain;
  const path = parsePath(name);
  return {
    met: wanted === undefined ? `has ${name}` : `has ${name} ${wanted}`,
    path,
    isMet(resource) {
      const value = valueAt(resource, path);
      return value !== undefined && (wanted === undefined || textOf(value) === wanted);
    },
    unmet(resource) {
      if (resource === undefined) return ABSENT;
      const value = valueAt(resource, path);
      return value === undefined ? `has no ${name}` : `has ${name} ${textOf(value)}`;
    },
  };
}

/** A condition of the status, as other controllers write them. */
function statusCondition(text: string): WaitCondition {
  const [, type = '', wanted = 'True'] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (type === '') throw bad('give the type of a condition', 'write for example --for=condition=Allocatable');
  const statusOf = (resource: StoredResource['value'] | undefined): unknown => {
    const conditions: unknown = valueAt(resource, ['status', 'conditions']);
    const list: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
    const found = list.find((condition) => valueAt(condition, ['type']) === type);
    return valueAt(found, ['status']);
  };
  return {
    met: `has condition ${type} ${wanted}`,
    isMet: (resource) => String(statusOf(resource)).toLowerCase() === wanted.toLowerCase(),
    unmet(resource) {
      if (resource === undefined) return ABSENT;
      const status = statusOf(resource);
      return status === undefined ? `has no condition ${type}` : `has condition ${type} ${textOf(status)}`;
    },
  };
}

/**
 * Reads `--for`.
 *
 * @throws {CalicoError} it is none of the conditions
 */
export function parseWaitCondition(text: string | undefined): WaitCondition {
  const hint = 'write --for=create, --for=delete, --for=condition=TYPE or --for=jsonpath={.spec.order}=100';
  if (text === undefined || text === '') throw bad('nothing to wait for', hint);
  if (text === 'create') {
    return { met: 'is there', isMet: (resource) => resource !== undefined, unmet: () => ABSENT };
  }
  if (text === 'delete') {
    return { met: 'is gone', isMet: (resource) => resource === undefined, unmet: () => 'is still there' };
  }
  const [, word = '', rest] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (word === 'jsonpath' && rest !== undefined) return fieldCondition(rest);
  if (word === 'condition' && rest !== undefined) return statusCondition(rest);
  if (/^(\{\.|\.)/.test(text)) return fieldCondition(text);
  throw bad(`unknown condition "${text}"`, suggestion(word, WORDS).hint ?? hint);
}

function timeoutOf(call: Call): { readonly text: string; readonly ms: number } {
  const text = textOption(call, 'timeout') ?? DEFAULT_TIMEOUT;
  const ms = durationMs(text);
  if (ms === undefined) throw bad(`"${text}" is not a duration such as 90s or 1m30s`);
  return { text, ms };
}

/** The resources that are still waited for, by name, and what is known of them. */
class Waiting {
  readonly #query: Query;
  readonly #condition: WaitCondition;
  readonly #ids: Map<string, string>;
  readonly #resources = new Map<string, StoredResource['value']>();

  constructor(condition: WaitCondition, query: Query) {
    this.#query = query;
    this.#condition = condition;
    this.#ids = new Map(keysOf(query).map((key) => [key.name, resourceId(key)]));
  }

  take({ key, value }: StoredResource, isGone: boolean): void {
    const name = askedName(this.#query, key) ?? key.name;
    if (isGone) this.#resources.delete(name);
    else this.#resources.set(name, value);
  }

  /** Sentences for those that need no longer be waited for. */
  settled(): readonly string[] {
    const done = [...this.#ids].filter(([name]) => this.#condition.isMet(this.#resources.get(name)));
    for (const [name] of done) this.#ids.delete(name);
    return done.map(([, id]) => `${id} ${this.#condition.met}`);
  }

  get isOver(): boolean {
    return this.#ids.size === 0;
  }

  describe(): string {
    return [...this.#ids].map(([name, id]) => `${id} ${this.#condition.unmet(this.#resources.get(name))}`).join('; ');
  }
}

interface Wait {
  readonly client: Client;
  readonly call: Call;
  readonly context: Context;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
}

async function untilSettled({ client, call, context, waiting, signal }: Wait): Promise<void> {
  for await (const event of followResources(client, queryOf(call), { matches: undefined }, signal)) {
    if (event.type === 'notice') context.tell(event.text);
    else if (event.type === 'initial') for (const stored of event.items) waiting.take(stored, false);
    else waiting.take(event.stored, event.change === 'DELETED');
    if (event.type === 'notice') continue;
    for (const sentence of waiting.settled()) context.print(line(sentence));
    if (waiting.isOver) return;
  }
}

/** wait KIND NAME… --for=… */
export async function waitForResources(call: Call, context: Context, clock: Clock = systemClock): Promise<Result> {
  const condition = parseWaitCondition(textOption(call, 'for'));
  const timeout = timeoutOf(call);
  const query = queryOf(call);
  if (condition.path !== undefined) refuseUnknownPath(query.kind, condition.path);
  const waiting = new Waiting(condition, query);
  const client = await context.connect();
  const tooLate = new AbortController();
  const timer = clock.setTimer(timeout.ms, () => tooLate.abort());
  try {
    const signal = AbortSignal.any([context.signal, tooLate.signal]);
    await untilSettled({ client, call, context, waiting, signal });
  } finally {
    timer.cancel();
  }
  if (waiting.isOver) return {};
  if (!tooLate.signal.aborted) return { errors: [INTERRUPTED.text] };
  return { errors: [`timed out after ${timeout.text}: ${waiting.describe()}`] };
}
