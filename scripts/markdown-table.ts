function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The lines of a Markdown table; cells may hold any text. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [row(columns), row(columns.map(() => '---')), ...rows.map(row)];
}
