import { basename } from 'node:path';
import { run } from '../cli/main.js';

// `calicoctl get … | head` is no failure: whoever read has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const words = process.argv.slice(2);

const interrupted = new AbortController();
// The first Ctrl-C ends what goes on; who is not heard may press it again.
process.once('SIGINT', () => interrupted.abort());

void run(words, {
  environment: process.env,
  program: basename(process.argv[1] ?? ''),
  readFile: async (path) => (await import('../cli/read-text.js')).readTextFile(path, interrupted.signal),
  readStdin: async () => (await import('../cli/read-text.js')).readTextStream('-', process.stdin),
  terminals: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  signal: interrupted.signal,
  stdout: (output) => process.stdout.write(output),
  stderr: (output) => process.stderr.write(output),
}).then((status) => {
  process.exitCode = status;
});
