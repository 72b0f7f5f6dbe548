import { basename } from 'node:path';
import { run } from '../cli/main.js';

// `calicoctl get … | head` is no failure: whoever read has seen enough. A full disk is one: part of the output is missing.
process.stdout.on('error', ({ code = 'unknown error' }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(0);
  process.stderr.write(`cannot write the output: ${code === 'ENOSPC' ? 'no space is left' : code}\n`);
  process.exit(1);
});
// What cannot be said is left unsaid; the exit status still tells.
process.stderr.on('error', () => undefined);

const words = process.argv.slice(2);

const interrupted = new AbortController();
/** Longer than an answer takes from a datastore that is there. */
const PATIENCE_MS = 1000;
// The first Ctrl-C ends what goes on, as soon as what was sent is answered, so that it can be said what was done; who does not want to
// wait for that presses it again. The same with the signal of service managers and time limits.
for (const [signal, again] of [
  ['SIGINT', 'Ctrl-C'],
  ['SIGTERM', 'SIGTERM'],
] as const) {
  process.once(signal, () => {
    interrupted.abort();
    const tell = () => process.stderr.write(`waiting for what is under way; ${again} again leaves it as it is\n`);
    setTimeout(tell, PATIENCE_MS).unref();
  });
}

void run(words, {
  environment: process.env,
  program: basename(process.argv[1] ?? ''),
  readFile: async (path) => (await import('../cli/manifests/read-text.js')).readTextFile(path, interrupted.signal),
  readStdin: async () =>
    (await import('../cli/manifests/read-text.js')).readTextStream('stdin', process.stdin, interrupted.signal),
  terminals: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  signal: interrupted.signal,
  stdout: (output) => process.stdout.write(output),
  stderr: (output) => process.stderr.write(output),
}).then((status) => {
  process.exitCode = status;
});
