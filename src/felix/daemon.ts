import { CalicoError, formatError } from '../base/errors.js';
import { VERSION } from '../base/version.js';

export interface Daemon {
  /** The executable's. */
  readonly name: string;
  readonly usage: string;
  /** Code of the error for words that it does not know. */
  readonly usageCode: string;
  /** Runs until the signal aborts. */
  readonly serve: (signal: AbortSignal) => Promise<void>;
}

/** What all daemons do with their command line and with signals to end. @returns the exit status */
export async function runDaemon(words: readonly string[], { name, usage, usageCode, serve }: Daemon): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  if (words.includes('--version') || words.includes('-v')) {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  try {
    if (words.length > 0) {
      throw new CalicoError(usageCode, `unknown word "${words[0]}"`, { hint: `see ${name} --help` });
    }
    const stop = new AbortController();
    for (const ending of ['SIGINT', 'SIGTERM'] as const) process.once(ending, () => stop.abort());
    await serve(stop.signal);
    return 0;
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error;
    process.stderr.write(`${name}: ${formatError(error)}\n`);
    return 1;
  }
}
