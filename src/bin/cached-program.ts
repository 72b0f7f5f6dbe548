import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

// Runs the program beside this file (`calicoctl.cjs` → `calicoctl.program.cjs`) with the machine's own compiled form of it, which
// the build kept in `calicoctl.program.cache`: compiling is half of a short command's time. V8 refuses a cache of another Node.js
// and compiles afresh; it would not notice another program of the same length, hence the look at the times.

const base = realpathSync(process.argv[1] ?? '').replace(/\.cjs$/, '');
const program = `${base}.program.cjs`;
const cache = `${base}.program.cache`;

function readCache(): Buffer | undefined {
  try {
    return statSync(cache).mtimeMs >= statSync(program).mtimeMs ? readFileSync(cache) : undefined;
  } catch {
    // No cache: the program runs all the same.
    return undefined;
  }
}

// The build makes sure that it is ASCII: half the memory of other texts, and nothing to decode.
const source = readFileSync(program, 'latin1');
const cachedData = process.env['CALICO_WRITE_CODE_CACHE'] === undefined ? readCache() : undefined;
const script = new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
  filename: program,
  ...(cachedData === undefined ? {} : { cachedData }),
});

if (process.env['CALICO_WRITE_CODE_CACHE'] !== undefined) {
  process.on('exit', () => {
    writeFileSync(`${cache}.new`, script.createCachedData());
    renameSync(`${cache}.new`, cache);
  });
}

const module = { exports: {} };
const scope = [module.exports, createRequire(program), module, program, dirname(program)];
(script.runInThisContext() as (...scope: readonly unknown[]) => void)(...scope);
