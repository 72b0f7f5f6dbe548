import { DEFAULT_AS_NUMBER } from '../../api/kinds/bgp-configuration.js';
import { suggestion } from '../../api/issues.js';
import { isNamespaced, type PublicKind } from '../../api/registry.js';
import { CalicoError } from '../../base/errors.js';
import type { Client } from '../../client/client.js';
import { chosenColumns, type Column, type ColumnFacts, columnsOf, LABELS_COLUMN } from './columns.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { type AnyResource, bad, type Found, type StoredResource } from './get-query.js';
import type { ResourceTemplate } from './get-template.js';
import type { Block, PlainTable } from '../result.js';
import { whyUnreadable } from '../unreadable.js';

/** What `-o` says, read before anything is fetched. */
export type OutputFormat =
  | { readonly type: 'table'; readonly columns: (kind: PublicKind) => readonly Column[] }
  | { readonly type: 'yaml' | 'json' }
  | { readonly type: 'template'; readonly template: ResourceTemplate };

/** How objects are shown, besides the format. */
export interface Shape {
  readonly showsNamespace: boolean;
  readonly isExport: boolean;
  readonly hasColours: boolean;
  readonly facts: ColumnFacts;
}

const FORMAT_NAMES = ['ps', 'wide', 'yaml', 'yml', 'json', 'custom-columns', 'go-template', 'go-template-file'];

function unknownFormat(text: string, name: string): CalicoError {
  const all = 'write ps, wide, yaml, json, custom-columns=NAME,…, go-template=TEMPLATE or go-template-file=FILE';
  return bad(`unrecognized output format '${text}'`, suggestion(name, FORMAT_NAMES).hint ?? all);
}

function chosen(headingText: string): (kind: PublicKind) => readonly Column[] {
  const headings = headingText
    .split(',')
    .map((heading) => heading.trim().toUpperCase())
    .filter((heading) => heading !== '');
  if (headings.length === 0) throw bad('need to specify at least one column');
  return (kind) => {
    const choice = chosenColumns(kind, headings);
    if ('columns' in choice) return choice.columns;
    const { unknown, valid } = choice;
    throw bad(`unknown heading ${unknown}, valid values are: ${valid.join(', ')}`, suggestion(unknown, valid).hint);
  };
}

async function templateFormat(name: string, argument: string, context: Context): Promise<OutputFormat> {
  if (argument === '') throw bad('need to specify a template');
  const { parseResourceTemplate } = await import('./get-template.js');
  if (name === 'go-template') return { type: 'template', template: parseResourceTemplate(argument) };
  try {
    return { type: 'template', template: parseResourceTemplate(await context.readFile(argument)) };
  } catch (cause) {
    if (cause instanceof CalicoError) throw cause;
    const why = whyUnreadable(cause);
    throw new CalicoError('ERR_CALI_CLI_FILE', `cannot read the template "${argument}": ${why}`, { cause });
  }
}

/**
 * Reads `-o` and `--show-labels`.
 *
 * @throws {CalicoError} `unrecognized output format 'x'`, a template that cannot be read
 */
export async function outputFormat(call: Call, context: Context): Promise<OutputFormat> {
  const text = textOption(call, 'output') ?? 'ps';
  const [, name = '', equals, argument = ''] = /^([^=]*)(=)?(.*)$/s.exec(text) ?? [];
  const takesArgument = name === 'custom-columns' || name.startsWith('go-template');
  if (!FORMAT_NAMES.includes(name) || (equals !== undefined && !takesArgument)) {
    throw unknownFormat(text, name);
  }
  if (name === 'json') return { type: 'json' };
  if (name === 'yaml' || name === 'yml') return { type: 'yaml' };
  if (name.startsWith('go-template')) return templateFormat(name, argument, context);
  const columns = name === 'custom-columns' ? chosen(argument) : (kind: PublicKind) => columnsOf(kind, name === 'wide');
  if (!flag(call, 'showLabels')) return { type: 'table', columns };
  return { type: 'table', columns: (kind) => [...columns(kind), LABELS_COLUMN] };
}

async function globalAsNumber(client: Client): Promise<number> {
  const stored = await client.find({ kind: 'BGPConfiguration', name: 'default' });
  return stored?.value.spec.asNumber ?? DEFAULT_AS_NUMBER;
}

/** Reads what the output needs besides the objects themselves. */
export async function shapeOf(
  call: Call,
  context: Context,
  format: OutputFormat,
  kinds: readonly PublicKind[],
): Promise<Shape> {
  const asksAsNumber = format.type === 'template' ? format.template.usesConfig : kinds.includes('Node');
  const asNumber = asksAsNumber ? await globalAsNumber(await context.connectToRead()) : DEFAULT_AS_NUMBER;
  return {
    showsNamespace: textOption(call, 'namespace') !== undefined || flag(call, 'allNamespaces') || flag(call, 'a'),
    isExport: flag(call, 'export'),
    hasColours: context.colours,
    facts: { globalAsNumber: asNumber },
  };
}

/** As people see it: with the revision to send back. */
export function shown({ value, revision }: Pick<StoredResource, 'value' | 'revision'>): AnyResource {
  return { ...value, metadata: { ...value.metadata, resourceVersion: revision } };
}

function exported({ value }: StoredResource): AnyResource {
  const { name, labels, annotations } = value.metadata;
  const metadata = {
    name,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { ...value, metadata };
}

function listObject({ kind, items, listRevision }: Found): object {
  return {
    kind: `${kind}List`,
    apiVersion: 'projectcalico.org/v3',
    metadata: { resourceVersion: listRevision },
    items: items.map(shown),
  };
}

/** One object or list, several, or none. */
function objectsOf(found: readonly Found[], isExport: boolean): readonly object[] {
  return found.flatMap((each) => {
    if (each.listRevision !== undefined) return [listObject(each)];
    return each.items.map(isExport ? exported : shown);
  });
}

/** One table of objects of a kind. */
export function tableOf(
  kind: PublicKind,
  items: readonly Pick<StoredResource, 'value'>[],
  columns: readonly Column[],
  { showsNamespace, facts }: Shape,
): PlainTable {
  const hasNamespace = columns.some(({ heading }) => heading === 'NAMESPACE');
  const withNamespace = showsNamespace && isNamespaced(kind) && !hasNamespace;
  const rows = items.map(({ value }) => {
    const cells = columns.map(({ cell }) => cell(value, facts));
    return withNamespace ? [value.metadata.namespace ?? '', ...cells] : cells;
  });
  const headings = columns.map(({ heading }) => heading);
  return { type: 'table', headings: withNamespace ? ['NAMESPACE', ...headings] : headings, rows };
}

/** Everything that was found, in the format asked for. */
export function present(found: readonly Found[], format: OutputFormat, shape: Shape): readonly Block[] {
  if (format.type === 'table') {
    return found.map(({ kind, items }) => tableOf(kind, items, format.columns(kind), shape));
  }
  const objects = objectsOf(found, shape.isExport);
  if (format.type === 'template') {
    return [{ type: 'text', text: format.template.execute(objects, String(shape.facts.globalAsNumber)) }];
  }
  if (objects.length === 0) return [];
  return [{ type: format.type, value: objects.length === 1 ? objects[0] : objects }];
}
