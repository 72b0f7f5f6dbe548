/**
 * A part of a text that is YAML or JSON by itself. Files are read slice by slice: the parser takes a hundred times a text's size in
 * memory, which for one resource is nothing.
 */
export interface Slice {
  readonly text: string;
  /** Where it begins in the file, from 0. */
  readonly line: number;
  readonly column: number;
}

const DOCUMENT_START = /^---(?=[ \t\r\n]|$)/gm;
/** Only blanks, comments and marks. */
const EMPTY = /^(?:[ \t\r]*(?:---|\.\.\.)?[ \t\r]*(?:#[^\n]*)?(?:\n|$))*$/;
/** A directive holds for what follows it; an anchor may be meant by an alias in another item. */
const DIRECTIVE = /^%/m;
const ANCHOR = /(?:^|[\s[{,])[&*][^\s]/m;
/** Smaller ones are quick to read whole. */
const WORTH_SPLITTING = 128 * 1024;

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

/** The documents of a text, those that hold nothing left out. */
export function* documentSlices(text: string): Generator<Slice> {
  if (DIRECTIVE.test(text)) {
    yield { text, line: 0, column: 0 };
    return;
  }
  let line = 0;
  let from = 0;
  const start = new RegExp(DOCUMENT_START);
  for (let end = 0; end < text.length; from = end) {
    start.lastIndex = from + 1;
    end = start.exec(text)?.index ?? text.length;
    const document = text.slice(from, end);
    if (!isEmpty(document)) yield { text: document, line, column: 0 };
    line += countLines(document);
  }
}

/** The pattern alone would look at every line of a large document. */
function isEmpty(document: string): boolean {
  const start = /^(?:---|\s)*/.exec(document)?.[0].length ?? 0;
  if (start === document.length) return true;
  const next = document[start];
  return (next === '#' || next === '.') && EMPTY.test(document);
}

/** A long list of resources, item by item. */
export interface SplitList {
  /** The document with an empty list in place of the items, which stand where they stood. */
  readonly frame: Slice;
  /** Each holds its item as that of a list of one where `isListed`, else as it is. */
  readonly items: Iterable<Slice>;
  readonly isListed: boolean;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function* slicesAt(document: Slice, ranges: Iterable<Range>): Generator<Slice> {
  let { line } = document;
  let counted = 0;
  for (const { from, to } of ranges) {
    line += countLines(document.text.slice(counted, from));
    counted = from;
    const lineStart = document.text.lastIndexOf('\n', from - 1) + 1;
    const column = from - lineStart + (lineStart === 0 ? document.column : 0);
    yield { text: document.text.slice(from, to), line, column };
  }
}

function frameOf(document: Slice, list: Range): Slice {
  const { text } = document;
  const lines = '\n'.repeat(countLines(text.slice(list.from, list.to)));
  return { ...document, text: `${text.slice(0, list.from)} []${lines}${text.slice(list.to)}` };
}

const ITEMS_FIELD = /^items:[ \t]*\r?\n(?=- )/m;

/** Where the items of a list begin that is written in lines, and what stands in their place in its frame. */
function blockListStart(text: string): { readonly field: number; readonly from: number } | undefined {
  const array = /^(?:(?:---|#[^\n]*|[ \t\r]*)\n)*(?=- )/.exec(text);
  if (array !== null) return { field: array[0].length, from: array[0].length };
  const items = ITEMS_FIELD.exec(text);
  if (items === null) return undefined;
  return { field: items.index + 'items:'.length, from: items.index + items[0].length };
}

/** An array, or `items:` at the margin, and below it items that begin with `- `, at the margin too: as `get -o yaml` prints a list. */
function splitBlockList(document: Slice): SplitList | undefined {
  const { text } = document;
  const start = blockListStart(text);
  if (start === undefined) return undefined;
  const { field, from } = start;
  // What follows the items at the margin is a field of the list.
  const after = /^[^\s#-]/m.exec(text.slice(from));
  const to = after === null ? text.length : from + after.index;
  const starts = [...text.slice(from, to).matchAll(/^- /gm)].map(({ index }) => from + index);
  const ranges = starts.map((begin, index) => ({ from: begin, to: starts[index + 1] ?? to }));
  return { frame: frameOf(document, { from: field, to }), items: slicesAt(document, ranges), isListed: true };
}

/** The end of a JSON value's text that begins at `from`; -1 when there is none. */
function endOfJsonValue(text: string, from: number): number {
  const mark = /["[\]{}]/g;
  mark.lastIndex = from;
  let depth = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const [character] = found;
    if (character === '"') {
      const string = /"(?:[^"\\]|\\.)*"/sy;
      string.lastIndex = found.index;
      if (string.exec(text) === null) return -1;
      mark.lastIndex = string.lastIndex;
    } else {
      depth += character === '[' || character === '{' ? 1 : -1;
      if (depth <= 0) return mark.lastIndex;
    }
  }
  return -1;
}

function jsonItems(text: string, from: number, to: number): readonly Range[] | undefined {
  const ranges: Range[] = [];
  const gap = /[\s,]*/y;
  for (let at = from; ;) {
    gap.lastIndex = at;
    at += gap.exec(text)?.[0].length ?? 0;
    if (at >= to) return ranges;
    const end = text[at] === '{' ? endOfJsonValue(text, at) : -1;
    if (end < 0) return undefined;
    ranges.push({ from: at, to: end });
    at = end;
  }
}

/** `[{…}, …]`, or `{"items": [{…}, …]}` at the first level that has such a field. */
function splitJsonList(document: Slice): SplitList | undefined {
  const { text } = document;
  const opening = /^\s*(?:\[|\{[^[\]]*?"items"\s*:\s*\[)/.exec(text);
  if (opening === null) return undefined;
  const from = opening[0].length;
  const end = endOfJsonValue(text, from - 1);
  const ranges = end < 0 ? undefined : jsonItems(text, from, end - 1);
  if (ranges === undefined) return undefined;
  return { frame: frameOf(document, { from: from - 1, to: end }), items: slicesAt(document, ranges), isListed: false };
}

/** Takes a large list of resources apart; undefined where it is small, or not written as a list usually is. */
export function splitList(document: Slice): SplitList | undefined {
  if (document.text.length < WORTH_SPLITTING || ANCHOR.test(document.text)) return undefined;
  return /^\s*[[{]/.test(document.text) ? splitJsonList(document) : splitBlockList(document);
}
