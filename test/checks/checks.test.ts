import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, run } from '../../lab/processes.js';

/** One violation of one check: where it goes, what it is, and words by which the check must name it. */
interface Planted {
  readonly check: string;
  readonly what: string;
  readonly file: string;
  readonly text: string;
  readonly words: string;
  /** Instead of a new file: added at the end of one that is there. */
  readonly append?: boolean;
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
// Put together here, or the checks of this very repository would find them.
const forbiddenPath = ['/wo', 'rk/main/x'].join('');
const lintOff = ['// eslint-dis', 'able no-debugger'].join('');

const planted: readonly Planted[] = [
  {
    check: 'format',
    what: 'unformatted code',
    file: 'src/base/planted.ts',
    text: 'export const a   =  1\n',
    words: 'planted.ts',
  },
  {
    check: 'types',
    what: 'a type error',
    file: 'src/base/planted.ts',
    text: "export const a: number = 'x';\n",
    words: 'planted.ts',
  },
  {
    check: 'types',
    what: 'an unchecked index',
    file: 'src/base/planted.ts',
    text: 'export const first = (list: readonly string[]): string => list[0];\n',
    words: 'planted.ts',
  },
  {
    check: 'lint',
    what: 'a floating promise',
    file: 'src/base/planted.ts',
    text: 'export function go(): void {\n  Promise.resolve(1);\n}\n',
    words: 'no-floating-promises',
  },
  {
    check: 'lint',
    what: 'a promise where a boolean is meant',
    file: 'src/base/planted.ts',
    text: 'export async function go(ask: () => Promise<boolean>): Promise<number> {\n  await ask();\n  return ask() ? 1 : 2;\n}\n',
    words: 'no-misused-promises',
  },
  {
    check: 'lint',
    what: 'any',
    file: 'src/base/planted.ts',
    text: 'export const a = (b: any): unknown => b;\n',
    words: 'no-explicit-any',
  },
  {
    check: 'lint',
    what: 'a switch that forgets a case',
    file: 'src/base/planted.ts',
    text: "export function go(a: 'x' | 'y'): void {\n  switch (a) {\n    case 'x':\n      console.log(a);\n  }\n}\n",
    words: 'switch-exhaustiveness-check',
  },
  {
    check: 'lint',
    what: 'a default export',
    file: 'src/base/planted.ts',
    text: 'export default 1;\n',
    words: 'no-default-export',
  },
  {
    check: 'lint',
    what: 'a non-null assertion',
    file: 'src/base/planted.ts',
    text: 'export const a = (b?: string): string => b!;\n',
    words: 'no-non-null-assertion',
  },
  {
    check: 'lint',
    what: 'a long function',
    file: 'src/base/planted.ts',
    text: `export function go(): void {\n${lines(70, (i) => `  console.log(${i});`)}\n}\n`,
    words: 'max-lines-per-function',
  },
  {
    check: 'lint',
    what: 'a long file',
    file: 'src/base/planted.ts',
    text: `${lines(410, (i) => `export const a${i} = ${i};`)}\n`,
    words: 'max-lines',
  },
  {
    check: 'layers',
    what: 'an import against the layers',
    file: 'src/net/planted.ts',
    text: "import '../policy/machine.js';\n",
    words: 'net may import only',
  },
  {
    check: 'layers',
    what: 'FFI outside its folder',
    file: 'src/netlink/planted.ts',
    text: "import 'koffi';\n",
    words: 'koffi',
  },
  {
    check: 'layers',
    what: 'a Node module in a pure folder',
    file: 'src/plan/planted.ts',
    text: "import 'node:fs';\n",
    words: 'is pure',
  },
  {
    check: 'layers',
    what: 'a child process outside its folders',
    file: 'src/felix/planted.ts',
    text: "import 'node:child_process';\n",
    words: 'children are started',
  },
  {
    check: 'layers',
    what: 'a folder nobody listed',
    file: 'src/planted/planted.ts',
    text: 'export const a = 1;\n',
    words: 'not in scripts/layers.ts',
  },
  {
    check: 'unused',
    what: 'a file nobody imports',
    file: 'src/base/planted.ts',
    text: 'export const a = 1;\n',
    words: 'planted.ts',
  },
  {
    check: 'unused',
    what: 'an export nobody imports',
    file: 'src/base/errors.ts',
    text: 'export const planted = 1;\n',
    words: 'planted',
    append: true,
  },
  {
    check: 'generated',
    what: 'a stale table',
    file: 'scripts/layers.ts',
    text: "Object.assign(layers, { planted: { does: 'x', imports: [] } });\n",
    words: 'ARCHITECTURE.md',
    append: true,
  },
  {
    check: 'generated',
    what: 'a page that says something else than the command',
    file: 'docs/calicoctl.md',
    text: 'x\n',
    words: 'docs/calicoctl.md',
    append: true,
  },
  {
    check: 'repository',
    what: 'a file named for nothing',
    file: 'src/base/utils.ts',
    text: 'export const a = 1;\n',
    words: 'utils.ts',
  },
  {
    check: 'repository',
    what: 'a broken link',
    file: 'docs/planted.md',
    text: '[there](nowhere.md)\n',
    words: 'nowhere.md',
  },
  {
    check: 'repository',
    what: 'a file that only a paper knows',
    file: 'docs/planted.md',
    text: 'see `src/base/nowhere.ts`\n',
    words: 'nowhere.ts',
  },
  {
    check: 'repository',
    what: 'an error code that nobody explains',
    file: 'src/base/planted.ts',
    text: "export const code = 'ERR_CALI_PLANTED';\n",
    words: 'does not explain ERR_CALI_PLANTED',
  },
  {
    check: 'repository',
    what: 'a changelog heading of its own',
    file: 'CHANGELOG.md',
    text: '### Improved\n',
    words: 'Improved',
    append: true,
  },
  {
    check: 'repository',
    what: 'the path of one machine',
    file: 'docs/planted.md',
    text: `see ${forbiddenPath}\n`,
    words: 'does not belong',
  },
  {
    check: 'repository',
    what: 'a suppressed lint',
    file: 'src/base/planted.ts',
    text: `${lintOff}\nexport const a = 1;\n`,
    words: 'does not belong',
  },
  {
    check: 'repository',
    what: 'a file at the top without purpose',
    file: 'planted.txt',
    text: 'x\n',
    words: 'has no purpose',
  },
  {
    check: 'repository',
    what: 'a folder without README',
    file: 'src/planted/a.ts',
    text: 'export const a = 1;\n',
    words: 'src/planted/README.md',
  },
];

let copy = '';

beforeAll(async () => {
  const root = repositoryRoot();
  copy = mkdtempSync(join(tmpdir(), 'calico-checks-'));
  const { stdout } = await run(['git', '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    cpSync(join(root, file), join(copy, file), { recursive: true, force: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  await run(['git', 'init', '-q', copy]);
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

const check = (name: string): Promise<{ status: number; stdout: string }> => run([join(copy, 'scripts/check'), name]);

describe('make check', () => {
  test.each(['format', 'lint', 'types', 'layers', 'unused', 'generated', 'repository'])(
    '%s passes as things are',
    async (name) => {
      const { stdout } = await check(name);
      expect(stdout).toContain(`check ${name}: passed`);
    },
  );

  test.each(planted)('$check refuses $what', async ({ check: name, file, text, words, append }) => {
    const path = join(copy, file);
    const before = append === true ? readFileSync(path) : undefined;
    mkdirSync(dirname(path), { recursive: true });
    try {
      if (append === true) appendFileSync(path, text);
      else writeFileSync(path, text);
      const { status, stdout } = await check(name);
      expect(stdout).toContain(words);
      expect(stdout).toContain(`check ${name}: FAILED`);
      expect(status).not.toBe(0);
    } finally {
      if (before === undefined) rmSync(path);
      else writeFileSync(path, before);
      if (file.startsWith('src/planted/')) rmSync(dirname(path), { recursive: true, force: true });
    }
  });
});
