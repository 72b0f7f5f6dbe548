import { addressBits, compareAddresses, formatAddress } from '../../net/address.js';
import { type Prefix, formatPrefix, maskAddress, parsePrefix, prefixContains } from '../../net/prefix.js';

/** Elements of an interval set to put in and to take out. */
export interface CoverDelta {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** More changes than this at once: sorting everything again is cheaper than looking each one up. */
const BULK = 64;

/**
 * Prefixes of one family, of which some may lie in others, and the elements that an interval set needs to hold the same addresses:
 * the outermost prefixes. The kernel refuses overlaps, so a contained prefix stays out until the last one around it has gone.
 *
 * Keeps every member. One change costs a look at each outermost prefix at most; a big batch costs one sort.
 */
export class PrefixCover {
  readonly #members = new Map<string, Prefix>();
  readonly #outermost = new Map<string, Prefix>();
  /** How many members have each length: only those lengths can contain a prefix. */
  readonly #lengths = new Map<number, number>();

  get size(): number {
    return this.#members.size;
  }

  /** The elements as they should stand in the set. */
  elements(): string[] {
    return [...this.#outermost].flatMap(([text, prefix]) => elementsOf(text, prefix));
  }

  /** Members must be canonical (`192.0.2.0/24`); one that is there already, or not there, changes nothing. */
  change(added: Iterable<string>, removed: Iterable<string>): CoverDelta {
    const delta = new Map<string, 1 | -1>();
    const toAdd = [...added].filter((text) => !this.#members.has(text));
    const toRemove = [...removed].filter((text) => this.#members.has(text));
    if (toAdd.length + toRemove.length > BULK) this.#changeAll(toAdd, toRemove, delta);
    else {
      for (const text of toRemove) this.#remove(text, delta);
      for (const text of toAdd) this.#add(text, delta);
    }
    const texts = (sign: 1 | -1): string[] => [...delta].filter(([, s]) => s === sign).map(([text]) => text);
    return { added: texts(1), removed: texts(-1) };
  }

  #keep(text: string): Prefix {
    const prefix = parsePrefix(text);
    this.#members.set(text, prefix);
    this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    return prefix;
  }

  #forget(text: string): Prefix | undefined {
    const prefix = this.#members.get(text);
    if (prefix === undefined) return undefined;
    this.#members.delete(text);
    const left = (this.#lengths.get(prefix.length) ?? 1) - 1;
    if (left === 0) this.#lengths.delete(prefix.length);
    else this.#lengths.set(prefix.length, left);
    return prefix;
  }

  #isCovered(prefix: Prefix): boolean {
    for (const length of this.#lengths.keys()) {
      if (length >= prefix.length) continue;
      if (this.#members.has(formatPrefix({ address: maskAddress(prefix.address, length), length }))) return true;
    }
    return false;
  }

  #add(text: string, delta: Map<string, 1 | -1>): void {
    const prefix = this.#keep(text);
    if (this.#isCovered(prefix)) return;
    for (const [innerText, inner] of this.#outermost) {
      if (prefixContains(prefix, inner)) this.#dropOutermost(innerText, delta);
    }
    this.#raise(text, prefix, delta);
  }

  #remove(text: string, delta: Map<string, 1 | -1>): void {
    const prefix = this.#forget(text);
    if (prefix === undefined || !this.#outermost.has(text)) return;
    this.#dropOutermost(text, delta);
    for (const [innerText, inner] of this.#members) {
      if (prefixContains(prefix, inner) && !this.#isCovered(inner)) this.#raise(innerText, inner, delta);
    }
  }

  #changeAll(added: readonly string[], removed: readonly string[], delta: Map<string, 1 | -1>): void {
    for (const text of removed) this.#forget(text);
    for (const text of added) this.#keep(text);
    const sorted = [...this.#members].toSorted(
      ([, a], [, b]) => compareAddresses(a.address, b.address) || a.length - b.length,
    );
    const outermost = new Map<string, Prefix>();
    let last: Prefix | undefined;
    for (const [text, prefix] of sorted) {
      if (last !== undefined && prefixContains(last, prefix)) continue;
      outermost.set(text, prefix);
      last = prefix;
    }
    for (const text of this.#outermost.keys()) if (!outermost.has(text)) this.#dropOutermost(text, delta);
    for (const [text, prefix] of outermost) if (!this.#outermost.has(text)) this.#raise(text, prefix, delta);
  }

  #raise(text: string, prefix: Prefix, delta: Map<string, 1 | -1>): void {
    this.#outermost.set(text, prefix);
    for (const element of elementsOf(text, prefix)) note(delta, element, 1);
  }

  #dropOutermost(text: string, delta: Map<string, 1 | -1>): void {
    const prefix = this.#outermost.get(text);
    if (prefix === undefined) return;
    this.#outermost.delete(text);
    for (const element of elementsOf(text, prefix)) note(delta, element, -1);
  }
}

function note(delta: Map<string, 1 | -1>, element: string, sign: 1 | -1): void {
  if (delta.get(element) === -sign) delta.delete(element);
  else delta.set(element, sign);
}

/**
 * As the kernel's set reads back: one address without its length, and the whole address space as two halves, for an interval needs an
 * end that the key can express.
 */
function elementsOf(text: string, prefix: Prefix): readonly string[] {
  if (prefix.length === addressBits(prefix.address.family)) return [formatAddress(prefix.address)];
  if (prefix.length > 0) return [text];
  return prefix.address.family === 4 ? ['0.0.0.0/1', '128.0.0.0/1'] : ['::/1', '8000::/1'];
}

/** The outermost of a list of prefixes, as elements of an interval set. */
export function coverOf(prefixes: Iterable<string>): readonly string[] {
  const cover = new PrefixCover();
  cover.change(prefixes, []);
  return cover.elements();
}
