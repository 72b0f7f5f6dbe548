import { type Document, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { CalicoError, type Issue, visibleText } from '../base/errors.js';
import type { Locate } from './messages.js';

/** One resource of a file, as typed, and the way back to where each field stands. */
export interface ManifestEntry {
  readonly object: unknown;
  readonly locate: Locate;
}

type Segment = string | number;

/** `spec.ingress[2].ports["a/b"]` → its steps. */
export function pathSegments(path: string): readonly Segment[] {
  return [...path.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  );
}

interface Place {
  /** Of the value; that of the key where the value is what is wrong by being there. */
  readonly value: number;
  readonly key: number;
}

function startOf(node: unknown): number | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range?.[0];
}

/** As far down as the steps lead; the last place found is the nearest there is. */
function findPlace(root: unknown, segments: readonly Segment[]): Place {
  let node = root;
  let place: Place = { value: startOf(root) ?? 0, key: startOf(root) ?? 0 };
  for (const segment of segments) {
    if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment];
      const value = startOf(node) ?? place.value;
      place = { value, key: value };
    } else if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(segment),
      );
      if (pair === undefined) return place;
      const key = startOf(pair.key) ?? place.key;
      place = { value: startOf(pair.value) ?? key, key };
      node = pair.value;
    } else return place;
  }
  return place;
}

interface Source {
  readonly name: string;
  readonly lines: LineCounter;
}

function locator(source: Source, root: unknown, prefix: readonly Segment[]): Locate {
  return (issue: Issue) => {
    const place = findPlace(root, [...prefix, ...pathSegments(issue.path)]);
    const { line, col } = source.lines.linePos(issue.code === 'unknown_field' ? place.key : place.value);
    return `${source.name}:${line}:${col}`;
  };
}

function isList(object: unknown): object is { readonly items: readonly unknown[] } {
  if (typeof object !== 'object' || object === null || !('items' in object) || !('kind' in object)) return false;
  return typeof object.kind === 'string' && object.kind.endsWith('List') && Array.isArray(object.items);
}

/** No resource has a tenth of it; what comes after may go down as many calls. */
const DEPTH_LIMIT = 100;

function isDeeperThan(object: unknown, levels: number): boolean {
  if (typeof object !== 'object' || object === null) return false;
  return levels === 0 || Object.values(object).some((value) => isDeeperThan(value, levels - 1));
}

function notYaml(place: string, what: string): CalicoError {
  // What the parser says when it has no stack left.
  const why = /call stack/.test(what) ? 'it is nested too deep' : visibleText(what);
  return new CalicoError('ERR_CALI_CLI_YAML', `${place}: it is not YAML: ${why}`);
}

/** Its value, aliases resolved; the parser refuses here an alias without anchor, and aliases that multiply without end. */
function valueOf(source: Source, document: Document.Parsed): unknown {
  const { line, col } = source.lines.linePos(document.range[0]);
  const place = `${source.name}:${line}:${col}`;
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw notYaml(place, error instanceof Error ? error.message : String(error));
  }
  if (isDeeperThan(value, DEPTH_LIMIT)) throw notYaml(place, 'it is nested too deep');
  return value;
}

function refuseErrors(source: Source, document: Document.Parsed): void {
  const [error] = document.errors;
  if (error === undefined) return;
  const { line, col } = source.lines.linePos(error.pos[0]);
  const what = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
  throw notYaml(`${source.name}:${line}:${col}`, what);
}

function entriesOf(source: Source, document: Document.Parsed): ManifestEntry[] {
  refuseErrors(source, document);
  const root = document.contents;
  const object = valueOf(source, document);
  if (object === null || object === undefined) return [];
  if (Array.isArray(object)) {
    return object.map((item: unknown, index) => ({ object: item, locate: locator(source, root, [index]) }));
  }
  if (isList(object)) {
    return object.items.map((item, index) => ({ object: item, locate: locator(source, root, ['items', index]) }));
  }
  return [{ object, locate: locator(source, root, []) }];
}

/**
 * Reads the resources of a text: YAML documents or JSON, single ones, lists and arrays.
 *
 * @param name for messages: the path, or `stdin`
 * @throws {CalicoError} `ERR_CALI_CLI_YAML` with line and column
 */
export function parseManifest(name: string, text: string): readonly ManifestEntry[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  return [...documents].flatMap((document) => entriesOf({ name, lines }, document as Document.Parsed));
}

/**
 * One value as YAML or JSON, read as carefully as a manifest.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_YAML` with line and column
 */
export function parseValue(name: string, text: string): unknown {
  const lines = new LineCounter();
  const [document, ...more] = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (document === undefined) return undefined;
  refuseErrors({ name, lines }, document as Document.Parsed);
  if (more.length > 0) throw notYaml(`${name}:1:1`, 'it is more than one document');
  return valueOf({ name, lines }, document as Document.Parsed);
}
