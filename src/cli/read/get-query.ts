import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import type { Client } from '../../client/client.js';
import type { Stored } from '../../datastore/datastore.js';
import { compileSelector } from '../../selector/evaluate.js';
import { parseSelector } from '../../selector/parser.js';
import { type Call, type Context, textOption } from '../command.js';
import { resolveKind } from '../kind-names.js';
import { describeFailure, formatFailure } from '../messages.js';
import { namespaceChoice, resolveNamespace } from '../namespace.js';
import { selectedLabels } from '../selected-labels.js';
import { compareAt, parsePath } from './resource-path.js';

export type AnyResource = PublicResourceByKind[PublicKind];
export type StoredResource = Stored<PublicKind>;

/** What was found for one request: a list, or the object of one name. */
export interface Found {
  readonly kind: PublicKind;
  readonly items: readonly StoredResource[];
  /** Of a list: its revision. */
  readonly listRevision?: string;
}

export interface Gathered {
  readonly found: readonly Found[];
  readonly errors: readonly string[];
}

/** Objects of one kind: those named, or all. */
export interface Query {
  readonly kind: PublicKind;
  readonly names: readonly string[];
  /** Undefined for all of them, and for kinds that have none. */
  readonly namespace?: string;
}

/** `-l` and `--sort-by`. */
export interface Refinement {
  /** Undefined where all objects match. */
  readonly matches: ((stored: StoredResource) => boolean) | undefined;
  readonly compare: ((a: AnyResource, b: AnyResource) => number) | undefined;
}

export function bad(message: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', message, hint === undefined ? {} : { hint });
}

/** KIND [NAME…] with `-n` and `-A`. */
export function queryOf(call: Call): Query {
  const [word, ...names] = call.arguments;
  if (word === undefined) throw bad('give KIND, or a file with -f');
  const kind = resolveKind(word);
  if (names.includes('')) throw bad('resource name may not be empty');
  const choice = namespaceChoice(call);
  if (choice.all && names.length > 0) throw bad('cannot use --all-namespace flag for getting a single resource');
  const namespace = resolveNamespace(kind, undefined, choice);
  return { kind, names, ...(namespace === undefined || choice.all ? {} : { namespace }) };
}

export function keysOf({ kind, names, namespace }: Query): readonly ResourceKey<PublicKind>[] {
  return names.map((name) => ({ kind, name, ...(namespace === undefined ? {} : { namespace }) }));
}

/** @throws {CalicoError} the selector or the path cannot be read */
export function refinementOf(call: Call): Refinement {
  const selectorText = textOption(call, 'selector');
  const pathText = textOption(call, 'sortBy');
  if (selectorText !== undefined && call.arguments.length > 1) throw bad('give names or a selector, not both');
  const predicate = selectorText === undefined ? undefined : compileSelector(parseSelector(selectorText));
  const path = pathText === undefined ? undefined : parsePath(pathText);
  return {
    matches: predicate === undefined ? undefined : (stored) => predicate(selectedLabels(stored)),
    compare: path === undefined ? undefined : (a, b) => compareAt(path, a, b),
  };
}

function tierOrder(resource: AnyResource): number {
  return resource.kind === 'Tier' ? (resource.spec.order ?? Number.POSITIVE_INFINITY) : 0;
}

/** In the order asked for; tiers by their own where none was. */
export function arrange<S extends { readonly value: AnyResource }>(
  kind: PublicKind,
  items: readonly S[],
  { compare }: Refinement,
): readonly S[] {
  if (compare !== undefined) return items.toSorted((a, b) => compare(a.value, b.value));
  return kind === 'Tier' ? items.toSorted((a, b) => tierOrder(a.value) - tierOrder(b.value)) : items;
}

async function listKind(client: Client, query: Query, refinement: Refinement): Promise<Found> {
  const { kind, namespace } = query;
  const { items, revision } = await client.datastore.list(kind, namespace === undefined ? {} : { namespace });
  const matching = refinement.matches === undefined ? items : items.filter(refinement.matches);
  return { kind, items: arrange(kind, matching, refinement), listRevision: revision };
}

async function gather(client: Client, keys: readonly ResourceKey<PublicKind>[]): Promise<Gathered> {
  const found: Found[] = [];
  const errors: string[] = [];
  for (const key of keys) {
    try {
      found.push({ kind: key.kind, items: [await client.get(key)] });
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      errors.push(formatFailure(describeFailure(error, key)));
    }
  }
  return { found, errors };
}

/** What single objects matter: `-l` leaves some out, `--sort-by` turns them round. */
function refined({ found, errors }: Gathered, { matches, compare }: Refinement): Gathered {
  const kept = matches === undefined ? found : found.filter(({ items }) => items.every(matches));
  const [first] = kept;
  if (compare === undefined || first === undefined) return { found: kept, errors };
  const value = ({ items: [item] }: Found): AnyResource | undefined => item?.value;
  const order = (a: Found, b: Found): number => {
    const [one, other] = [value(a), value(b)];
    return one === undefined || other === undefined ? 0 : compare(one, other);
  };
  return { found: kept.toSorted(order), errors };
}

/** Reads what `get` is asked for: KIND, KIND NAME…, or what the files of `-f` name. */
export async function gatherResources(call: Call, context: Context, refinement: Refinement): Promise<Gathered> {
  if (call.options['filename'] !== undefined) {
    const { inputErrors, readInput } = await import('../manifests/input.js');
    const { resources, failures } = await readInput(call, context, { operation: 'get', referencesOnly: true });
    if (failures.length > 0) return { found: [], errors: inputErrors(failures) };
    const client = await context.connectToRead();
    return refined(
      await gather(
        client,
        resources.map(({ key }) => key),
      ),
      refinement,
    );
  }
  const query = queryOf(call);
  const client = await context.connectToRead();
  if (query.names.length === 0) return { found: [await listKind(client, query, refinement)], errors: [] };
  return refined(await gather(client, keysOf(query)), refinement);
}
