import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../setup/calicoctl.js';

/** Far more than any of it needs on an idle machine. */
const TIME_LIMIT_MS = 50_000;
/** The heap that the program gets; one that needed more would be ended by Node.js, not by its own words. */
const BOUNDED = { NODE_OPTIONS: '--max-old-space-size=1024' };

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-cli-bad-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const validate = (path: string) => runProgram(['validate', '-f', path], { environment: BOUNDED });

async function refusal(name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  const start = performance.now();
  const { status, stdout, stderr } = await validate(path);
  expect([status, stdout]).toEqual([1, '']);
  expect(performance.now() - start).toBeLessThan(TIME_LIMIT_MS);
  await rm(path);
  return stderr.replaceAll(`${path}:`, '');
}

const MEGABYTE = 1_000_000;
const fill = (unit: string, size: number) => unit.repeat(Math.ceil(size / unit.length));

/** Bytes that look like a random choice and are the same in every run. */
function junk(size: number, alphabet: string): string {
  let state = 12_345;
  let text = '';
  for (let i = 0; i < 10_000; i += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    text += alphabet[Math.floor((state / 2 ** 31) * alphabet.length)] ?? '';
  }
  return fill(text, size);
}

describe('what is no manifest is refused in bounded time and memory', () => {
  test.each([
    ['100 MB of letters', () => junk(100 * MEGABYTE, 'abcdef ghijk\n'), /the document is too large/],
    ['100 MB of marks', () => junk(100 * MEGABYTE, 'ab: []{},-\n&*#"\'?!|>%@'), /./],
    [
      '100 MB of small documents',
      () => fill('a\n---\n', 100 * MEGABYTE),
      /too many mistakes: what follows was not read/,
    ],
    ['100 MB of nothing', () => fill('# a\n---\n', 100 * MEGABYTE), /^no resources specified in file /],
    ['300 MB', () => Buffer.alloc(300 * MEGABYTE, 'a'), /it is too large: at most \d+ bytes are read/],
    ['a list without end', () => fill('[', 2 * MEGABYTE), /it is nested too deep/],
    ['fields without end', () => fill('{"a":', 2 * MEGABYTE), /it is nested too deep/],
    ['dashes without end', () => fill('- ', 2 * MEGABYTE), /it is nested too deep/],
    ['a million items', () => fill('- b\n', 2 * MEGABYTE), /it is not a resource/],
    ['a million commas', () => `[${fill(',', MEGABYTE)}`, /Unexpected , in flow sequence/],
    ['the same key again and again', () => fill('a: b\n', MEGABYTE), /Map keys must be unique: "a" stands here again/],
    ['a text without end', () => `a: "${fill('x\n', MEGABYTE)}`, /it is not YAML: Missing closing "quote/],
    ['zeros', () => Buffer.alloc(MEGABYTE), /^1:1: it is not YAML: the character \\x00 cannot stand in it/],
    ['bytes that are no UTF-8', () => Buffer.from('a: 1\nb: \xff\n', 'latin1'), /it is not UTF-8 text: see line 2/],
    ['an anchor within itself', () => 'a: &a [*a]\n', /it is nested too deep/],
    [
      'aliases that multiply',
      () =>
        [
          'a: &a [1,1,1,1,1,1,1,1,1]',
          ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${fill(`*${'abcdefg'[i]},`, 27)}]`),
        ].join('\n'),
      /Excessive alias count/,
    ],
  ])('%s', async (name, content, message) => {
    expect(await refusal(name.replaceAll(' ', '-'), content())).toMatch(message);
  });

  test('a file whose end is far away, a directory, a device, a pipe nobody writes to', async () => {
    const hole = join(directory, 'hole.yaml');
    await writeFile(hole, '');
    await truncate(hole, 2 ** 40);
    expect((await validate(hole)).stderr).toMatch(/it is too large/);
    await rm(hole);
    expect((await validate(directory)).stderr).toBe(`no resources specified in directory ${directory}\n`);
    expect((await validate('/dev/zero')).stderr).toMatch(/it is too large/);
    expect((await validate('/dev/null')).stderr).toBe('no resources specified in file /dev/null\n');
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect((await validate(pipe)).stderr).toMatch(/it is a pipe, and nobody writes to it\n$/);
    await rm(pipe);
  });
});

describe('what is nearly a manifest is refused by line and column', () => {
  test('all of it at once', async () => {
    const text = [
      'kind: IPPool',
      '---',
      'apiVersion: projectcalico.org/v3',
      'kind: IPPool',
      'metadata: {name: p1}',
      'spec: {cidr: 10.0.0.0/33, blocksize: 26}',
      '---',
      'metadata: {name: x}',
      '---',
      'a: 1',
      'a: 2',
      '---',
      '{"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": "A"}, "spec": {}}',
    ].join('\n');
    const lines = (await refusal('many.yaml', text)).split('\n');
    expect(lines).toEqual([
      '1:1: IPPool: apiVersion: unknown resource type (IPPool) and/or version ()',
      '  hint: write apiVersion: projectcalico.org/v3',
      '6:27: IPPool "p1": spec.blocksize: field in document is not recognized or is in the wrong location: blocksize',
      '  hint: did you mean "blockSize"?',
      '6:14: IPPool "p1": spec.cidr: "10.0.0.0/33" is not a CIDR: the prefix is at most 32',
      '8:1: kind: unknown resource type () and/or version ()',
      '  hint: write its kind, such as kind: IPPool, and apiVersion: projectcalico.org/v3',
      '11:1: it is not YAML: Map keys must be unique: "a" stands here again',
      expect.stringMatching(/^13:77: Tier "A": metadata\.name: /),
      '',
    ]);
  });
});
