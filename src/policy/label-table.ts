/** What one label holds: everything under it, and by value. A value that one thing has alone (a name, an id) costs no set. */
interface Column<T> {
  size: number;
  readonly byValue: Map<string, T | Set<T>>;
}

/** Things by label and value. Adding and removing cost a constant; nothing is kept for labels nobody has. */
export class LabelTable<T extends object> {
  readonly #columns = new Map<string, Column<T>>();

  add(label: string, value: string, item: T): void {
    let column = this.#columns.get(label);
    if (column === undefined) this.#columns.set(label, (column = { size: 0, byValue: new Map() }));
    const held = column.byValue.get(value);
    if (held === undefined) column.byValue.set(value, item);
    else if (held instanceof Set) {
      if (held.has(item)) return;
      held.add(item);
    } else if (held === item) return;
    else column.byValue.set(value, new Set([held, item]));
    column.size += 1;
  }

  remove(label: string, value: string, item: T): void {
    const column = this.#columns.get(label);
    const held = column?.byValue.get(value);
    if (column === undefined || held === undefined) return;
    if (held instanceof Set) {
      if (!held.delete(item)) return;
      if (held.size === 0) column.byValue.delete(value);
    } else if (held === item) column.byValue.delete(value);
    else return;
    column.size -= 1;
    if (column.size === 0) this.#columns.delete(label);
  }

  /** How many have the label, with that value when one is given. */
  count(label: string, value?: string): number {
    const column = this.#columns.get(label);
    if (column === undefined || value === undefined) return column?.size ?? 0;
    const held = column.byValue.get(value);
    if (held === undefined) return 0;
    return held instanceof Set ? held.size : 1;
  }

  /** Those that have the label, with that value when one is given. */
  *with(label: string, value?: string): Generator<T> {
    const column = this.#columns.get(label);
    if (column === undefined) return;
    if (value !== undefined) {
      const held = column.byValue.get(value);
      if (held instanceof Set) yield* held;
      else if (held !== undefined) yield held;
      return;
    }
    for (const held of column.byValue.values()) {
      if (held instanceof Set) yield* held;
      else yield held;
    }
  }
}
