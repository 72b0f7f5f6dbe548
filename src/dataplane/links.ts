import type { Link } from '../netlink/route/link.js';

/** The links of the host, by name and by index, as last heard. */
export class Links {
  readonly #byName = new Map<string, Link>();
  readonly #byIndex = new Map<number, Link>();
  readonly #firstSeenMs = new Map<number, number>();

  get(name: string): Link | undefined {
    return this.#byName.get(name);
  }

  byIndex(index: number | undefined): Link | undefined {
    return index === undefined ? undefined : this.#byIndex.get(index);
  }

  all(): Iterable<Link> {
    return this.#byIndex.values();
  }

  /** When this process first heard of the link. */
  firstSeenMs(index: number): number | undefined {
    return this.#firstSeenMs.get(index);
  }

  /** New, changed or renamed. @returns the link as it was */
  put(link: Link, nowMs: number): Link | undefined {
    const before = this.#byIndex.get(link.index);
    if (before !== undefined && this.#byName.get(before.name)?.index === link.index) this.#byName.delete(before.name);
    this.#byName.set(link.name, link);
    this.#byIndex.set(link.index, link);
    if (before === undefined) this.#firstSeenMs.set(link.index, nowMs);
    return before;
  }

  drop(link: Link): void {
    const known = this.#byIndex.get(link.index);
    if (known === undefined) return;
    this.#byIndex.delete(link.index);
    this.#firstSeenMs.delete(link.index);
    // A new link may have taken the name before the old one's end was told.
    if (this.#byName.get(known.name)?.index === link.index) this.#byName.delete(known.name);
  }

  /** What a complete list says; links it does not name are gone. @returns the indexes that are new, changed or gone */
  replaceAll(links: readonly Link[], nowMs: number): ReadonlySet<number> {
    const changed = new Set<number>();
    const listed = new Set(links.map(({ index }) => index));
    for (const link of this.#byIndex.values()) {
      if (listed.has(link.index)) continue;
      changed.add(link.index);
      this.drop(link);
    }
    for (const link of links) {
      const before = this.put(link, nowMs);
      if (before?.name !== link.name || before.isUp !== link.isUp || before.isRunning !== link.isRunning) {
        changed.add(link.index);
      }
    }
    return changed;
  }
}
