/** Tells what happens, one line a thing, and keeps count of what was expected and came. */
export class Story {
  readonly #started = performance.now();
  readonly #colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  #met = 0;
  readonly #missed: string[] = [];

  chapter(title: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    console.log(`\n${this.#paint('1', `== ${title}`)}  ${this.#paint('2', `(${seconds} s)`)}`);
  }

  say(text: string): void {
    console.log(text);
  }

  /** A command as somebody typed it on a host, and what it printed. */
  typed(host: string, command: string, output: string): void {
    console.log(this.#paint('36', `${host}# ${command}`));
    this.quote(output);
  }

  quote(text: string): void {
    const trimmed = text.trimEnd();
    if (trimmed !== '') console.log(trimmed.replace(/^/gm, '  '));
  }

  /** Something that must be so. */
  expect(what: string, holds: boolean, otherwise = ''): void {
    if (holds) {
      this.#met += 1;
      console.log(`  ${this.#paint('32', 'ok')}  ${what}`);
      return;
    }
    this.#missed.push(what);
    console.log(`  ${this.#paint('31', 'NOT SO')}  ${what}${otherwise === '' ? '' : `: ${otherwise}`}`);
  }

  /** The last line; @returns the exit status */
  close(): number {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    console.log(`\n${this.#met} expectations met, ${this.#missed.length} not, in ${seconds} s`);
    for (const what of this.#missed) console.log(`  not met: ${what}`);
    return this.#missed.length === 0 ? 0 : 1;
  }

  #paint(code: string, text: string): string {
    return this.#colour ? `\u001B[${code}m${text}\u001B[0m` : text;
  }
}
