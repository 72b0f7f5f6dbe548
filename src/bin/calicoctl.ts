import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { run } from '../cli/main.js';

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
