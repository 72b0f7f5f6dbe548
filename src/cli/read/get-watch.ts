import type { PublicKind } from '../../api/registry.js';
import type { Call, Context } from '../command.js';
import { type ChangeType, followResources } from './follow-resources.js';
import { type OutputFormat, shapeOf, type Shape, shown, tableOf } from './get-formats.js';
import { arrange, queryOf, type Refinement, type StoredResource } from './get-query.js';
import { formatBlock, TablePrinter } from '../printer.js';
import type { Block, Result } from '../result.js';

/** One object as it is now, or as it was when it was deleted. */
interface Event {
  readonly change: ChangeType;
  readonly stored: StoredResource;
}

type EventPrinter = (events: readonly Event[]) => Block | undefined;

function text(lines: string): Block {
  return { type: 'text', text: lines };
}

/** Rows as they change below one heading. */
function tableEvents(kind: PublicKind, format: OutputFormat & { type: 'table' }, shape: Shape): EventPrinter {
  const printer = new TablePrinter(shape.hasColours);
  return (events) => {
    const stored = events.map((event) => event.stored);
    const { headings, rows } = tableOf(kind, stored, format.columns(kind), shape);
    const marked = rows.map((row, index) => (events[index]?.change === 'DELETED' ? [...row, '(deleted)'] : row));
    return text(printer.format(headings, marked));
  };
}

/** `type` and `object`, as of other watchers: JSON a line each, YAML a document each. */
function objectEvents(type: 'yaml' | 'json'): EventPrinter {
  let separator = '';
  return (events) => {
    let lines = '';
    for (const { change, stored } of events) {
      const value = { type: change, object: shown(stored) };
      if (type === 'json') lines += `${JSON.stringify(value)}\n`;
      else {
        lines += `${separator}${formatBlock({ type, value })}`;
        separator = '---\n';
      }
    }
    return lines === '' ? undefined : text(lines);
  };
}

function printerOf(kind: PublicKind, format: OutputFormat, shape: Shape): EventPrinter {
  if (format.type === 'table') return tableEvents(kind, format, shape);
  if (format.type !== 'template') return objectEvents(format.type);
  const asNumber = String(shape.facts.globalAsNumber);
  return (events) => text(events.map(({ stored }) => format.template.execute([shown(stored)], asNumber)).join(''));
}

/** get --watch: what there is, then every change, until the person has seen enough. */
export async function watchResources(
  call: Call,
  context: Context,
  { format, refinement }: { readonly format: OutputFormat; readonly refinement: Refinement },
): Promise<Result> {
  const query = queryOf(call);
  const client = await context.connect();
  const print = printerOf(query.kind, format, await shapeOf(call, context, format, [query.kind]));
  for await (const event of followResources(client, query, refinement, context.signal)) {
    if (event.type === 'notice') context.tell(event.text);
    else {
      const events =
        event.type === 'change'
          ? [event]
          : arrange(query.kind, inOrder(event.items), refinement).map((stored) => ({
              change: 'ADDED' as const,
              stored,
            }));
      const block = print(events);
      if (block !== undefined) context.print(block);
    }
  }
  return {};
}

/** By namespace and name, as lists are. */
function inOrder(items: readonly StoredResource[]): readonly StoredResource[] {
  const id = ({ key }: StoredResource): string => `${key.namespace ?? ''}/${key.name}`;
  return items.toSorted((a, b) => (id(a) < id(b) ? -1 : 1));
}
