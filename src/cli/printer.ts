import type { Block, BoxTable, PlainTable } from './result.js';
import { formatYaml } from './yaml-text.js';

const PADDING = 3;
const CELL_MINIMUM = 5;

function widths(headings: readonly string[], rows: readonly (readonly string[])[]): number[] {
  const wide = headings.map((heading) => heading.length);
  for (const row of rows) {
    for (const [column, cell] of row.entries()) wide[column] = Math.max(wide[column] ?? 0, cell.length);
  }
  return wide;
}

/** A line in bold, its end of line outside: ECMA-48, select graphic rendition. */
function bold(text: string): string {
  return `\u001b[1m${text.trimEnd()}\u001b[22m\n`;
}

/** A table that grows: the heading once, rows as wide as those before them. */
export class TablePrinter {
  readonly #hasColours: boolean;
  #cells: readonly number[] | undefined;

  constructor(hasColours = false) {
    this.#hasColours = hasColours;
  }

  /** The rows; with the heading above them the first time. */
  format(headings: readonly string[], rows: readonly (readonly string[])[]): string {
    const isFirst = this.#cells === undefined;
    const wanted = widths(headings, rows).map((width) => Math.max(width + PADDING, CELL_MINIMUM));
    const cells = wanted.map((width, column) => Math.max(width, this.#cells?.[column] ?? 0));
    this.#cells = cells;
    const format = (row: readonly string[]) =>
      `${row
        .map((cell, column) => cell.padEnd(cells[column] ?? 0))
        .join('')
        .trimEnd()}\n`;
    const heading = isFirst ? format(headings) : '';
    return `${this.#hasColours && isFirst ? bold(heading) : heading}${rows.map(format).join('')}`;
  }
}

function formatTable({ headings, rows }: PlainTable, hasColours: boolean): string {
  return `${new TablePrinter(hasColours).format(headings, rows)}\n`;
}

function centre(text: string, width: number): string {
  const before = Math.floor((width - text.length) / 2);
  return text.padStart(text.length + before).padEnd(width);
}

function formatBox({ headings, rows, align }: BoxTable): string {
  const wide = widths(headings, rows);
  const rule = `+${wide.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const place = (cell: string, width: number) => {
    if (align === 'centre') return centre(cell, width);
    return /^\d+(\.\d+)?(e\+\d+)?$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
  };
  const heading = `|${headings.map((cell, column) => ` ${centre(cell, wide[column] ?? 0)} `).join('|')}|`;
  const body = rows.map((row) => `|${row.map((cell, column) => ` ${place(cell, wide[column] ?? 0)} `).join('|')}|`);
  return `${[rule, heading, rule, ...body, ...(body.length === 0 ? [] : [rule])].join('\n')}\n`;
}

function format(block: Block, hasColours: boolean): string {
  switch (block.type) {
    case 'line':
      return `${block.text}\n`;
    case 'text':
      return block.text;
    case 'table':
      return formatTable(block, hasColours);
    case 'box':
      return formatBox(block);
    case 'json':
      return JSON.stringify(block.value, undefined, 2);
    case 'yaml':
      return formatYaml(block.value);
  }
}

/** The one place where data becomes text. */
export function formatBlock(block: Block): string {
  return format(block, false);
}

/** The same for a terminal: headings of tables stand out; no more than that. */
export function formatForTerminal(block: Block): string {
  return format(block, true);
}
