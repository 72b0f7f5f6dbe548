import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandPages } from './command-pages.js';
import { customResourceDefinitions } from './crds.js';
import { firstEraTable } from './first-era.js';
import { kindPages } from './kind-pages.js';
import { layersTable } from './layers.js';
import { parametersPage } from './reference.js';

/** A file, or the marked part of one, that is made from something else and checked in. */
interface Generated {
  readonly file: string;
  /** The whole new text of the file, given the old one. */
  readonly make: (old: string) => string;
}

/** Replaces what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
function between(name: string, text: string): (old: string) => string {
  return (old) => {
    const begin = `<!-- ${name}:begin -->`;
    const end = `<!-- ${name}:end -->`;
    const from = old.indexOf(begin);
    const to = old.indexOf(end);
    if (from < 0 || to < from) throw new Error(`the markers ${begin} and ${end} are missing`);
    return `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`;
  };
}

const whole = new Map([...(await commandPages()), ...kindPages(), ...customResourceDefinitions()]);
const all: readonly Generated[] = [
  { file: 'ARCHITECTURE.md', make: between('layers', layersTable()) },
  { file: 'docs/first-era.md', make: between('first-era', firstEraTable()) },
  { file: 'docs/felix-parameters.md', make: parametersPage },
  ...[...whole].map(([file, text]) => ({ file, make: () => text })),
];

const check = process.argv.includes('--check');
for (const { file, make } of all) {
  const old = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const fresh = make(old);
  if (fresh === old) continue;
  if (check) {
    console.error(`${file}: not what scripts/generate.ts makes: run make fix`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, fresh);
    console.log(`wrote ${file}`);
  }
}

// A kind or command that is gone leaves no page behind.
for (const folder of ['docs/calicoctl', 'docs/reference', 'deploy/crds']) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const file of names.map((name) => join(folder, name)).filter((path) => !whole.has(path))) {
    console.error(`${file}: nothing makes it any more: delete it`);
    process.exitCode = 1;
  }
}
