import { describe, expect, test } from 'vitest';
import { formatBlock, formatForTerminal, TablePrinter } from './printer.js';

const table = { type: 'table' as const, headings: ['NAME', 'A'], rows: [['web', '1']] };

describe('formatBlock()', () => {
  test('sets columns three blanks apart, cells at least five wide, nothing at the end of lines', () => {
    expect(formatBlock(table)).toBe('NAME   A\nweb    1\n\n');
    expect(formatBlock({ ...table, headings: ['A', 'B'] })).toBe('A     B\nweb   1\n\n');
  });

  test('makes headings of tables bold where colours are wanted, and nothing else', () => {
    expect(formatForTerminal(table)).toBe('\u001b[1mNAME   A\u001b[22m\nweb    1\n\n');
    expect(formatForTerminal({ type: 'json', value: [1] })).toBe('[\n  1\n]');
  });
});

describe('TablePrinter', () => {
  test('prints the heading once, and never makes columns narrower again', () => {
    const printer = new TablePrinter();
    expect(printer.format(['NAME', 'A'], [['a-long-name', '1']])).toBe('NAME          A\na-long-name   1\n');
    expect(printer.format(['NAME', 'A'], [['b', '2']])).toBe('b             2\n');
  });
});
