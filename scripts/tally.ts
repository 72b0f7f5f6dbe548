import { existsSync, readFileSync } from 'node:fs';

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const LINES_OF_REASONS = 20;

/** Patterns of tests that may be skipped: a line is `FULL NAME OF THE TEST  # why`, with `*` for anything. */
function expectedSkips(): RegExp[] {
  return readFileSync('test/expected-skips.txt', 'utf8')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new RegExp(`^${line.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`));
}

/** What was thrown, without its stacks: where only the end of a run's output is kept, this is all there is to go by. */
function reasons(messages: readonly string[] = []): string {
  const lines = messages.flatMap((message) => message.split('\n')).filter((line) => !/^\s*(at .*)?$/.test(line));
  return lines
    .slice(0, LINES_OF_REASONS)
    .map((line) => `\n    ${line}`)
    .join('');
}

const expected = expectedSkips();
let passed = 0;
let failed = 0;
/** Whole suites that `scripts/test-all` had to leave out count as one each. */
let skipped = Number(process.env['SKIPPED_SUITES'] ?? 0);
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    console.error(`${file} is missing: the tests did not run to their end`);
    failed += 1;
    continue;
  }
  for (const result of (JSON.parse(readFileSync(file, 'utf8')) as Report).testResults) {
    // A file that does not even load, or whose hooks fail, has no failed test to its name.
    if (result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed')) {
      console.error(`FAILED ${result.name}: ${result.message ?? 'did not load'}`);
      failed += 1;
    }
    for (const test of result.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') {
        console.error(`FAILED ${result.name}: ${test.fullName}${reasons(test.failureMessages)}`);
        failed += 1;
      } else if (result.status === 'failed' || expected.some((pattern) => pattern.test(test.fullName))) skipped += 1;
      else {
        console.error(`FAILED ${result.name}: ${test.fullName}: skipped, and not in test/expected-skips.txt`);
        failed += 1;
      }
    }
  }
}
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
process.exitCode = failed === 0 ? 0 : 1;
