import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { compareErrorCodes } from './error-codes.js';

/** What may stand at the top of the repository, and why it is there. */
const top: Readonly<Record<string, string>> = {
  '.ci': 'what continuous integration runs',
  '.gitignore': 'what is not the repository',
  '.npmrc': 'how npm installs: no scripts, no addresses in the lock file',
  '.oxfmtrc.json': 'format',
  '.oxlintrc.json': 'lint',
  'ARCHITECTURE.md': 'the picture of the house',
  bench: 'benchmarks',
  'CHANGELOG.md': 'what changed for users',
  'CONTRIBUTING.md': 'how to work here',
  deploy: 'units and settings for real hosts',
  docs: "the user's documentation, decisions",
  'knip.json': 'unused code',
  lab: 'hosts as namespaces',
  LICENSE: 'Apache-2.0',
  Makefile: 'what people type',
  'package-lock.json': 'exact packages',
  'package.json': 'packages',
  'README.md': 'where to start',
  scripts: "the repository's tools",
  'SPECIFICATION.md': 'the promises, each with its benchmark',
  src: 'the product',
  test: 'system tests and set-up',
  'tsconfig.json': 'types',
  'vitest.config.ts': 'tests',
};

const badNames = /^(utils?|helpers?|common|misc|manager|types|index)\.ts$|-[2-9]\.ts$|\.(orig|bak|rej|swp|log|tmp)$|~$/;

/** Words this repository does not use, put together here so that the list does not find itself. */
const badWords: readonly RegExp[] = [
  ['/wo', 'rk/(main|shared)'],
  ['/tmp/w', 't/'],
  ['/tmp/bri', 'ef'],
  ['\\bCla', 'ude\\b'],
  ['\\bAnth', 'ropic\\b'],
  ['\\bAI[- ]assis', 'tant'],
  ['\\blanguage mo', 'del\\b'],
  ['\\b(coding|AI) ag', 'ents?\\b'],
  ['\\bthe lead engi', 'neer\\b'],
  ['\\bcommon\\.m', 'd\\b'],
  ['\\.\\./sha', 'red/'],
  ['\\biss', 'ue #?\\d+\\b'],
  ['\\b(TO', 'DO|FIX', 'ME|X', 'XX)\\b'],
  ['(ts-ign', 'ore|eslint-dis', 'able|oxlint-dis', 'able)'],
].map((parts) => new RegExp(parts.join(''), 'i'));

const headings = new Set(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']);

const problems: string[] = [];
const say = (path: string, what: string): void => void problems.push(`${path}: ${what}`);

function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  return listed.split('\0').filter((path) => path !== '' && existsSync(path));
}

function checkName(path: string): void {
  const first = path.split('/')[0] ?? '';
  if (top[first] === undefined) say(path, `"${first}" at the top has no purpose in scripts/check-repo.ts`);
  if (badNames.test(basename(path))) say(path, 'name it for what it holds');
  if (statSync(path).size === 0) say(path, 'is empty');
}

function checkWords(path: string, text: string): void {
  if (path.includes('/generated/')) return;
  for (const [index, line] of text.split('\n').entries()) {
    for (const word of badWords) {
      const found = word.exec(line);
      if (found !== null) say(`${path}:${index + 1}`, `"${found[0]}" does not belong here`);
    }
  }
}

function checkLinks(path: string, text: string): void {
  const prose = text.replace(/```[\s\S]*?```/g, '');
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^(https?:|mailto:|#)/.test(target)) continue;
    const file = normalize(join(dirname(path), target.split('#')[0] ?? ''));
    if (!existsSync(file)) say(path, `link to "${target}": there is no such file`);
  }
}

/** Paths that prose names in backticks: `src/net/prefix.ts`, `lab/`; and sources that it names in short: `prefix.ts`. */
function checkPaths(path: string, text: string, files: readonly string[]): void {
  if (path === 'CHANGELOG.md') return;
  const prose = text.replace(/```[\s\S]*?```/g, '');
  for (const [, target = ''] of prose.matchAll(/`([a-z][\w./-]*\.ts)`/g)) {
    if (!files.some((file) => `/${file}`.endsWith(`/${target}`))) say(path, `names "${target}": there is no such file`);
  }
  for (const [, target = ''] of prose.matchAll(/`((?:src|lab|test|bench|scripts|docs|deploy)\/[\w./-]*)`/g)) {
    if (!existsSync(target)) say(path, `names "${target}": there is no such file`);
  }
}

/** Every error code is explained, and no explanation is left over. */
function checkErrorCodes(files: readonly string[]): void {
  const page = 'docs/errors.md';
  const sources = files.filter((path) => /^src\/.*\.ts$/.test(path) && !/\.(test|contract|fake)\.ts$/.test(path));
  const { unexplained, leftOver } = compareErrorCodes(
    sources.map((path) => readFileSync(path, 'utf8')),
    readFileSync(page, 'utf8'),
  );
  for (const code of unexplained) say(page, `does not explain ${code}`);
  for (const code of leftOver) say(page, `explains ${code}, which no source uses`);
}

function checkChangelog(): void {
  const path = 'CHANGELOG.md';
  if (!existsSync(path)) return say(path, 'is missing');
  const text = readFileSync(path, 'utf8');
  if (!text.startsWith('# Changelog\n')) say(path, 'begins with "# Changelog"');
  if (!/^## \[Unreleased\]$/m.test(text)) say(path, 'has no "## [Unreleased]"');
  for (const line of text.split('\n')) {
    if (line.startsWith('## ') && !/^## \[(Unreleased|\d+\.\d+\.\d+)\]( - \d{4}-\d{2}-\d{2})?$/.test(line)) {
      say(path, `"${line}" is not "## [1.2.3] - 2030-01-31"`);
    }
    if (line.startsWith('### ') && !headings.has(line.slice(4)))
      say(path, `"${line}" is not one of ${[...headings].join(', ')}`);
  }
}

function checkPapers(files: readonly string[]): void {
  if (!existsSync('LICENSE') || !readFileSync('LICENSE', 'utf8').includes('Apache License'))
    say('LICENSE', 'is not Apache-2.0');
  for (const paper of ['README.md', 'ARCHITECTURE.md', 'SPECIFICATION.md', 'CONTRIBUTING.md']) {
    if (!existsSync(paper)) say(paper, 'is missing');
  }
  const folders = new Set(
    files
      .filter((path) => path.endsWith('.ts') && path.includes('/'))
      .map((path) =>
        path
          .split('/')
          .slice(0, path.startsWith('src/') ? 2 : 1)
          .join('/'),
      ),
  );
  for (const folder of folders) {
    const readme = `${folder}/README.md`;
    if (!existsSync(readme))
      say(readme, 'is missing: 3 to 10 lines: what lives here, what it may import, where to start');
    else if (readFileSync(readme, 'utf8').trimEnd().split('\n').length > 40)
      say(readme, 'is long: what lives here, where to start');
  }
}

const files = repositoryFiles();
for (const path of files) {
  checkName(path);
  if (!/\.(ts|md|json|txt|sh|nft|proto|yaml|cfg)$/.test(path) && !/^(scripts|\.ci)\//.test(path) && path !== 'Makefile')
    continue;
  if (path === 'package-lock.json') continue;
  const text = readFileSync(path, 'utf8');
  checkWords(path, text);
  if (!path.endsWith('.md')) continue;
  checkLinks(path, text);
  checkPaths(path, text, files);
}
checkErrorCodes(files);
checkChangelog();
checkPapers(files);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
