import { readdir, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { DiagsFolder } from './diags-folder.js';

describe('DiagsFolder', () => {
  test('keeps what a program says, without secrets, in an archive', async () => {
    const folder = await DiagsFolder.filled(async (empty) => {
      const script = ['-e', 'console.log("ETCD_PASSWORD=s3cret")'] as const;
      expect(await empty.run('said.txt', [process.execPath, ...script], new AbortController().signal)).toBe(true);
    });
    try {
      const archive = await folder.pack('diags-1');
      expect(await readdir(folder.place)).toEqual(['diags-1.tar.gz']);
      expect(archive).toBe(`${folder.place}/diags-1.tar.gz`);
    } finally {
      await rm(folder.place, { recursive: true });
    }
  });

  test('leaves nothing behind where somebody presses Ctrl-C', async () => {
    let place = '';
    const filling = DiagsFolder.filled(async (empty) => {
      ({ place } = empty);
      await empty.write('settings/calicoctl.cfg', 'x');
      await empty.run('said.txt', [process.execPath, '-e', ''], AbortSignal.abort());
    });
    await expect(filling).rejects.toThrow(/: interrupted$/);
    await expect(readdir(place)).rejects.toThrow('ENOENT');
  });
});
