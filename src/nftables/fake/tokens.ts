import { CalicoError } from '../../base/errors.js';

/** Words of nft's text: quoted strings keep their quotes, braces, commas and semicolons stand alone. */
export class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = text.match(/"[^"]*"|[{},;]|[^\s{},;"]+/g) ?? [];
  }

  get isEmpty(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.unreadable('more');
    this.#at += 1;
    return token;
  }

  /** Takes the words when they come next, all of them or none. */
  take(...words: readonly string[]): boolean {
    if (!words.every((word, i) => this.#tokens[this.#at + i] === word)) return false;
    this.#at += words.length;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.unreadable(`"${word}"`);
  }

  /** The next word without quotes. */
  text(): string {
    return this.next().replaceAll('"', '');
  }

  /** What stands between braces, split at commas: lists of words. The opening brace was taken. */
  list(): string[][] {
    const items: string[][] = [];
    let item: string[] = [];
    for (let token = this.next(); token !== '}'; token = this.next()) {
      if (token === ',') {
        items.push(item);
        item = [];
      } else item.push(token);
    }
    return item.length === 0 ? items : [...items, item];
  }

  unreadable(wanted: string): CalicoError {
    const before = this.#tokens.slice(Math.max(0, this.#at - 6), this.#at).join(' ');
    return new CalicoError('ERR_CALI_NFT_TEXT', `"${before}" is followed by "${this.peek() ?? ''}", not ${wanted}`);
  }
}
