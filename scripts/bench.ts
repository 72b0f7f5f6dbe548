import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/**
 * Runs `bench/*.ts` (as built in dist) one after the other, or those named. Each prints lines `name  ours  theirs  ratio`; a ratio
 * that `bench/budgets.txt` bounds fails the run when it is beyond the bound (half as much again with SHORT=1). Milliseconds never do:
 * they differ between machines. A bound that no line names in a whole run fails it too: it would hold nothing.
 */
interface Budget {
  readonly compare: '<=' | '>=';
  readonly bound: number;
}

function readBudgets(): Map<string, Budget> {
  const budgets = new Map<string, Budget>();
  for (const line of readFileSync('bench/budgets.txt', 'utf8').split('\n')) {
    const [, name, compare, bound] = /^([^#].*?)\s{2,}(<=|>=)\s+([\d.]+)/.exec(line) ?? [];
    if (name !== undefined) budgets.set(name, { compare: compare === '<=' ? '<=' : '>=', bound: Number(bound) });
  }
  return budgets;
}

const isShort = process.env['SHORT'] === '1';
/** A short run has few samples, and shares its machine: it is there to catch regressions, not to prove the promise. */
const slack = isShort ? 1.5 : 1;
const budgets = readBudgets();
const wanted = process.argv.slice(2);
const environment = { ...process.env };
// Node 20 reads the whole bundle at each start: 50 ms that are not ours.
delete environment['NODE_EXTRA_CA_CERTS'];
delete environment['NODE_OPTIONS'];
const files = existsSync('bench') ? readdirSync('bench').filter((file) => file.endsWith('.ts')) : [];
const unseen = new Set(budgets.keys());
let passed = 0;
let failed = 0;
for (const file of files.toSorted()) {
  const name = file.replace(/\.ts$/, '');
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const run = spawnSync(process.execPath, ['--expose-gc', `dist/bench/${name}.js`], {
    encoding: 'utf8',
    env: environment,
  });
  process.stdout.write(run.stdout);
  if (run.status !== 0) {
    console.log(`${name}: FAILED: ended with ${run.status ?? run.signal}\n${run.stderr}`);
    failed += 1;
    continue;
  }
  for (const line of run.stdout.split('\n')) {
    const columns = line.split(/\s{2,}/);
    const budget = budgets.get(columns[0] ?? '');
    if (budget === undefined) continue;
    unseen.delete(columns[0] ?? '');
    const ratio = Number.parseFloat(columns.at(-1) ?? '');
    const holds = budget.compare === '<=' ? ratio <= budget.bound * slack : ratio >= budget.bound / slack;
    if (holds) passed += 1;
    else {
      console.log(`${columns[0]}: FAILED: ratio ${ratio}, the budget is ${budget.compare} ${budget.bound}`);
      failed += 1;
    }
  }
}
if (wanted.length === 0 && !isShort) {
  for (const name of unseen) console.log(`${name}: FAILED: bench/budgets.txt bounds it, and no benchmark says it`);
  failed += unseen.size;
}
console.log(`benchmarks: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
