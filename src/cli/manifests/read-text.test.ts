import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeText, readTextFile, readTextStream } from './read-text.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-text-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('readTextFile()', () => {
  test('reads a file longer than one piece', async () => {
    const path = join(directory, 'long');
    const text = 'äöü\n'.repeat(200_000);
    await writeFile(path, text);
    expect(await readTextFile(path)).toBe(text);
  });

  test('leaves what the system says to its caller', async () => {
    await expect(readTextFile(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readTextFile(directory)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('ends when the person has had enough', async () => {
    await writeFile(join(directory, 'file'), 'x');
    await expect(readTextFile(join(directory, 'file'), AbortSignal.abort())).rejects.toThrow(/^interrupted$/);
  });

  test('does not read a device without end', async () => {
    await expect(readTextFile('/dev/zero')).rejects.toThrow(
      'failed to execute command: cannot read "/dev/zero": it is too large: at most ',
    );
  });
});

describe('readTextStream()', () => {
  test('puts together what came in pieces', async () => {
    async function* pieces() {
      yield Buffer.from([0xc3]);
      await Promise.resolve();
      yield Buffer.from([0xa4, 0x0a]);
    }
    expect(await readTextStream('-', pieces())).toBe('ä\n');
  });

  test('ends when the person who was to type it has had enough', async () => {
    const stop = new AbortController();
    const reading = readTextStream('-', new PassThrough(), stop.signal);
    stop.abort();
    await expect(reading).rejects.toThrow(/^interrupted$/);
  });
});

describe('decodeText()', () => {
  test('says in which line the bytes are that are no text', () => {
    const bytes = Buffer.concat([Buffer.from('a: ä\nb: '), Buffer.from([0xff]), Buffer.from('\nc')]);
    expect(() => decodeText('f', bytes)).toThrow('cannot read "f": it is not UTF-8 text: see line 2');
  });
});
