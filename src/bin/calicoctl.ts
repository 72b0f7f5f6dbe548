import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { run } from '../cli/main.js';

// `calicoctl get … | head` is no failure: whoever read has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const words = process.argv.slice(2);

void run(words, {
  environment: process.env,
  readFile: (path) => readFile(path, 'utf8'),
  readStdin: () => text(process.stdin),
  stdout: (output) => process.stdout.write(output),
  stderr: (output) => process.stderr.write(output),
}).then((status) => {
  process.exitCode = status;
});
