import { type Document, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { CalicoError, type Issue, visibleText } from '../../base/errors.js';
import { documentSlices, type Slice, splitList } from './manifest-slices.js';
import type { Locate } from '../messages.js';

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

/** A slice of a file, read. */
interface Source {
  readonly name: string;
  readonly slice: Slice;
  readonly lines: LineCounter;
  readonly documents: readonly Document.Parsed[];
}

/** Room for what `get` prints of a thing etcd can hold, which is 1.5 MiB. */
const SLICE_LIMIT = 2 * 2 ** 20;
/** No resource has a tenth of it; what comes after may go down as many calls. */
const DEPTH_LIMIT = 100;
const DEEP_LINE = /(?:^|[ \t])(?:[-?:][ \t]+){100}/m;
/** Between brackets that open one after the other stand at most blanks, a word or a text, and a colon; words and blanks need no look. */
const BRACKET_OR_OTHER = /"[^"\n]*"|[^\s\w.:-]/g;
const CONTROL = /[^\P{Cc}\t\n\r\u007f-\u009f]/u;
const ERRORS_SHOWN = 10;

function placeIn({ name, slice, lines }: Omit<Source, 'documents'>, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${name}:${slice.line + line}:${line === 1 ? slice.column + col : col}`;
}

function notYaml(place: string, what: string): CalicoError {
  // What the parser says when it has no stack left.
  const why = /call stack/.test(what) ? 'it is nested too deep' : visibleText(what);
  return new CalicoError('ERR_CALI_CLI_YAML', `${place}: it is not YAML: ${why}`);
}

/**
 * Where so many lists or sets of fields begin within one another that no resource has a tenth of it. The parser needs a kilobyte a level
 * and would run out of stack only at the end.
 */
function deepPlace(text: string): number | undefined {
  let run = 0;
  for (const { 0: found, index } of text.matchAll(BRACKET_OR_OTHER)) {
    if (found === '[' || found === '{') run += 1;
    else if (found.length === 1) run = 0;
    if (run > DEPTH_LIMIT) return index;
  }
  return DEEP_LINE.exec(text)?.index;
}

/** What can be told from the text alone, before it costs anything. */
function refuseText(name: string, slice: Slice): void {
  const { text } = slice;
  const start = `${name}:${slice.line + 1}:${slice.column + 1}`;
  const placeOf = (at: number) => {
    const before = text.slice(0, at).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    return `${name}:${slice.line + before.length}:${before.length === 1 ? slice.column + column : column}`;
  };
  const control = CONTROL.exec(text);
  if (control !== null)
    throw notYaml(placeOf(control.index), `the character ${visibleText(control[0])} cannot stand in it`);
  if (text.length > SLICE_LIMIT) {
    throw new CalicoError('ERR_CALI_CLI_YAML', `${start}: the document is too large: ${text.length} characters`, {
      hint: `split it into documents of at most ${SLICE_LIMIT} characters, with --- between them`,
    });
  }
  const deep = deepPlace(text);
  if (deep !== undefined) throw notYaml(placeOf(deep), 'it is nested too deep');
}

function parseSlice(name: string, slice: Slice): Source {
  refuseText(name, slice);
  const lines = new LineCounter();
  // Whether keys are unique is looked at below: the parser compares each with each.
  // `<<` is of YAML 1.1, and of manifests that other tools read.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: true };
  // Junk is a million mistakes, and nobody reads where in the parser each came up.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const documents = [...parseAllDocuments(slice.text, options)] as readonly Document.Parsed[];
    return { name, slice, lines, documents };
  } catch (error) {
    const place = `${name}:${slice.line + 1}:${slice.column + 1}`;
    throw notYaml(place, error instanceof Error ? error.message : String(error));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

interface Mistake {
  readonly offset: number;
  readonly what: string;
}

function keyText(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}

/** Keys that stand twice in a set of fields: one of the values would be lost without a word. */
function* doubleKeys(node: unknown, levels: number): Generator<Mistake> {
  if (levels === 0) {
    yield { offset: startOf(node) ?? 0, what: 'it is nested too deep' };
  } else if (isSeq(node)) {
    for (const item of node.items) yield* doubleKeys(item, levels - 1);
  } else if (isMap(node)) {
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const text = keyText(key);
      if (text !== undefined && seen.has(text)) {
        yield { offset: startOf(key) ?? 0, what: `Map keys must be unique: "${text}" stands here again` };
      }
      if (text !== undefined) seen.add(text);
      yield* doubleKeys(value, levels - 1);
    }
  }
}

function mistakesOf(document: Document.Parsed): readonly Mistake[] {
  if (document.errors.length > 0) {
    return document.errors.map(({ pos, message }) => ({
      offset: pos[0],
      what: message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '',
    }));
  }
  const mistakes: Mistake[] = [];
  for (const mistake of doubleKeys(document.contents, DEPTH_LIMIT)) {
    mistakes.push(mistake);
    if (mistakes.length >= ERRORS_SHOWN) break;
  }
  return mistakes;
}

function isDeeperThan(object: unknown, levels: number): boolean {
  if (typeof object !== 'object' || object === null) return false;
  return levels === 0 || Object.values(object).some((value) => isDeeperThan(value, levels - 1));
}

/** Its value, aliases resolved; the parser refuses here an alias without anchor, and aliases that multiply without end. */
function valueOf(source: Source, document: Document.Parsed): unknown {
  const place = placeIn(source, document.range[0]);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw notYaml(place, error instanceof Error ? error.message : String(error));
  }
  if (isDeeperThan(value, DEPTH_LIMIT)) throw notYaml(place, 'it is nested too deep');
  return value;
}

function isList(object: unknown): object is { readonly items?: readonly unknown[] | null } {
  if (typeof object !== 'object' || object === null || !('kind' in object)) return false;
  if (typeof object.kind !== 'string' || !object.kind.endsWith('List')) return false;
  // An empty list may lack them: `items:`, or nothing at all.
  return !('items' in object) || object.items === null || Array.isArray(object.items);
}

/** What came of a slice: resources, or what is wrong with it. */
export type Reading = ManifestEntry | CalicoError;

/** Reads one file. Trees of the parser are let go at once; who asks for a place has the slice read again. */
class ManifestReader {
  readonly #name: string;
  #last: Source | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  *readings(text: string): Generator<Reading> {
    for (const document of documentSlices(text)) {
      const list = splitList(document);
      if (list === undefined || !this.#isFrameOfList(list.frame)) yield* this.#slice(document, []);
      else for (const item of list.items) yield* this.#slice(item, list.isListed ? [0] : []);
    }
  }

  /** Nothing but a list of resources may be taken apart. */
  #isFrameOfList(frame: Slice): boolean {
    try {
      const source = parseSlice(this.#name, frame);
      const [document] = source.documents;
      if (document === undefined || source.documents.length > 1 || mistakesOf(document).length > 0) return false;
      const value = valueOf(source, document);
      return Array.isArray(value) || isList(value);
    } catch (error) {
      if (error instanceof CalicoError) return false;
      throw error;
    }
  }

  /** @param prefix steps from the slice's root to its resource */
  *#slice(slice: Slice, prefix: readonly Segment[]): Generator<Reading> {
    try {
      const source = parseSlice(this.#name, slice);
      for (const [index, document] of source.documents.entries())
        yield* this.#document(source, index, document, prefix);
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      yield error;
    }
  }

  *#document(source: Source, index: number, document: Document.Parsed, prefix: readonly Segment[]): Generator<Reading> {
    const mistakes = mistakesOf(document);
    for (const { offset, what } of mistakes.slice(0, ERRORS_SHOWN)) yield notYaml(placeIn(source, offset), what);
    if (mistakes.length > 0) return;
    const { slice } = source;
    const entry = (object: unknown, steps: readonly Segment[]): ManifestEntry => ({
      object,
      locate: (issue) => this.#locate(slice, index, issue, steps),
    });
    const root = valueOf(source, document);
    if (root === null || root === undefined) return;
    const object: unknown = prefix.length > 0 && Array.isArray(root) ? root[0] : root;
    if (Array.isArray(object)) {
      for (const [at, item] of (object as readonly unknown[]).entries()) yield entry(item, [...prefix, at]);
    } else if (isList(object)) {
      for (const [at, item] of (object.items ?? []).entries()) yield entry(item, [...prefix, 'items', at]);
    } else yield entry(object, prefix);
  }

  #locate(slice: Slice, index: number, issue: Issue, prefix: readonly Segment[]): string {
    if (this.#last?.slice !== slice) this.#last = parseSlice(this.#name, slice);
    const source = this.#last;
    const place = findPlace(source.documents[index]?.contents, [...prefix, ...pathSegments(issue.path)]);
    return placeIn(source, issue.code === 'unknown_field' ? place.key : place.value);
  }
}

/**
 * Reads the resources of a text: YAML documents or JSON, single ones, lists and arrays. What is wrong with one document comes in its
 * place, `ERR_CALI_CLI_YAML` with line and column, and the next one is read all the same. Reads on as far as it is asked to.
 *
 * @param name for messages: the path, or `stdin`
 */
export function readManifest(name: string, text: string): Generator<Reading> {
  return new ManifestReader(name).readings(text);
}

/**
 * The same where one mistake is enough.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_YAML` with line and column
 */
export function parseManifest(name: string, text: string): readonly ManifestEntry[] {
  return [...readManifest(name, text)].map((reading) => {
    if (reading instanceof CalicoError) throw reading;
    return reading;
  });
}

/**
 * One value as YAML or JSON, read as carefully as a manifest.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_YAML` with line and column
 */
export function parseValue(name: string, text: string): unknown {
  const source = parseSlice(name, { text, line: 0, column: 0 });
  const [document, ...more] = source.documents;
  if (document === undefined) return undefined;
  const [mistake] = mistakesOf(document);
  if (mistake !== undefined) throw notYaml(placeIn(source, mistake.offset), mistake.what);
  if (more.length > 0) throw notYaml(`${name}:1:1`, 'it is more than one document');
  return valueOf(source, document);
}
