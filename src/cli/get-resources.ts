import type { ResourceKey } from '../api/resource-update.js';
import { isNamespaced, type PublicKind, type PublicResourceByKind } from '../api/registry.js';
import { CalicoError, NotFoundError, UnavailableError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import type { Stored } from '../datastore/datastore.js';
import { chosenColumns, type Column, type ColumnFacts, columnsOf } from './columns.js';
import { type Call, type Context, flag, textOption } from './command.js';
import { resolveKind } from './kind-names.js';
import { describeFailure, formatFailure } from './messages.js';
import { namespaceChoice, resolveNamespace } from './namespace.js';
import type { Block, Result } from './result.js';

const DEFAULT_AS_NUMBER = 64512;

type AnyResource = PublicResourceByKind[PublicKind];

/** What was found for one request: a list, or the object of one name. */
interface Found {
  readonly kind: PublicKind;
  readonly items: readonly Stored<PublicKind>[];
  /** Of a list: its revision. */
  readonly listRevision?: string;
}

interface Query {
  readonly kind: PublicKind;
  readonly names: readonly string[];
  readonly namespace?: string;
}

function bad(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', message);
}

function queryOf(call: Call): Query {
  const [word, ...names] = call.arguments;
  if (word === undefined) throw bad('give KIND, or a file with -f');
  const kind = resolveKind(word);
  if (names.includes('')) throw bad('resource name may not be empty');
  const choice = namespaceChoice(call);
  if (choice.all && names.length > 0) throw bad('cannot use --all-namespace flag for getting a single resource');
  const namespace = resolveNamespace(kind, undefined, choice);
  return { kind, names, ...(namespace === undefined || choice.all ? {} : { namespace }) };
}

function byOrder(a: Stored<PublicKind>, b: Stored<PublicKind>): number {
  const order = ({ value }: Stored<PublicKind>) => (value.kind === 'Tier' ? (value.spec.order ?? Infinity) : 0);
  return order(a) - order(b);
}

async function listKind(client: Client, { kind, namespace }: Query): Promise<Found> {
  const { items, revision } = await client.datastore.list(kind, namespace === undefined ? {} : { namespace });
  return { kind, items: kind === 'Tier' ? items.toSorted(byOrder) : items, listRevision: revision };
}

/** As people see it: with the revision to send back. */
function shown({ value, revision }: Stored<PublicKind>): AnyResource {
  return { ...value, metadata: { ...value.metadata, resourceVersion: revision } };
}

function exported({ value }: Stored<PublicKind>): AnyResource {
  const { name, labels, annotations } = value.metadata;
  const metadata = {
    name,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { ...value, metadata };
}

function structured(type: 'yaml' | 'json', found: readonly Found[], isExport: boolean): Block | undefined {
  const [first] = found;
  if (first?.listRevision !== undefined) {
    const items = first.items.map(shown);
    const metadata = { resourceVersion: first.listRevision };
    return { type, value: { apiVersion: 'projectcalico.org/v3', items, kind: `${first.kind}List`, metadata } };
  }
  const objects = found.flatMap(({ items }) => items.map(isExport ? exported : shown));
  if (objects.length === 0) return undefined;
  return { type, value: objects.length === 1 ? objects[0] : objects };
}

interface TableOptions {
  readonly columns: (kind: PublicKind) => readonly Column[];
  readonly showsNamespace: boolean;
  readonly facts: ColumnFacts;
}

function tableOf({ kind, items }: Found, { columns, showsNamespace, facts }: TableOptions): Block {
  const shownColumns = columns(kind);
  const withNamespace = showsNamespace && isNamespaced(kind);
  const rows = items.map(({ key, value }) => {
    const cells = shownColumns.map(({ cell }) => cell(value, facts));
    return withNamespace ? [key.namespace ?? '', ...cells] : cells;
  });
  const headings = shownColumns.map(({ heading }) => heading);
  return { type: 'table', headings: withNamespace ? ['NAMESPACE', ...headings] : headings, rows };
}

function columnChooser(format: string): TableOptions['columns'] {
  if (!format.startsWith('custom-columns=')) return (kind) => columnsOf(kind, format === 'wide');
  const headings = format
    .slice('custom-columns='.length)
    .split(',')
    .filter((heading) => heading !== '')
    .map((heading) => heading.toUpperCase());
  if (headings.length === 0) throw bad('need to specify at least one column');
  return (kind) => {
    const chosen = chosenColumns(kind, headings);
    if ('columns' in chosen) return chosen.columns;
    throw bad(`unknown heading ${chosen.unknown}, valid values are: ${chosen.valid.join(', ')}`);
  };
}

async function factsFor(client: Client, kinds: readonly PublicKind[]): Promise<ColumnFacts> {
  if (!kinds.includes('Node')) return { globalAsNumber: DEFAULT_AS_NUMBER };
  try {
    const { value } = await client.get({ kind: 'BGPConfiguration', name: 'default' });
    return { globalAsNumber: value.spec.asNumber ?? DEFAULT_AS_NUMBER };
  } catch (error) {
    if (error instanceof NotFoundError) return { globalAsNumber: DEFAULT_AS_NUMBER };
    throw error;
  }
}

const FORMATS = /^(ps|wide|ya?ml|json|custom-columns=.*)$/;

interface Gathered {
  readonly found: readonly Found[];
  readonly errors: readonly string[];
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

async function resourcesOf(call: Call, context: Context): Promise<Gathered> {
  if (call.options['filename'] !== undefined) {
    const { inputErrors, readInput } = await import('./input.js');
    const { resources, failures } = await readInput(call, context, { operation: 'get', referencesOnly: true });
    if (failures.length > 0) return { found: [], errors: inputErrors(failures) };
    return gather(
      await context.connectToRead(),
      resources.map(({ key }) => key),
    );
  }
  const query = queryOf(call);
  const client = await context.connectToRead();
  if (query.names.length === 0) return { found: [await listKind(client, query)], errors: [] };
  const { kind, namespace } = query;
  const keys = query.names.map((name) => ({ kind, name, ...(namespace === undefined ? {} : { namespace }) }));
  return gather(client, keys);
}

/** get [KIND [NAME…]] or what files name. */
export async function getResources(call: Call, context: Context): Promise<Result> {
  const format = textOption(call, 'output') ?? 'ps';
  if (!FORMATS.test(format)) throw bad(`unrecognized output format '${format}'`);
  const columns = columnChooser(format);
  const { found, errors } = await resourcesOf(call, context);
  if (format === 'json' || format === 'yaml' || format === 'yml') {
    const block = structured(format === 'json' ? 'json' : 'yaml', found, flag(call, 'export'));
    return { output: block === undefined ? [] : [block], errors };
  }
  const showsNamespace = textOption(call, 'namespace') !== undefined || flag(call, 'allNamespaces');
  if (found.length === 0) return { errors };
  const facts = await factsFor(
    await context.connectToRead(),
    found.map(({ kind }) => kind),
  );
  return { output: found.map((each) => tableOf(each, { columns, showsNamespace, facts })), errors };
}
