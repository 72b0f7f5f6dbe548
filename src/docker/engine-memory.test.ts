import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../base/log.js';
import { EngineMemory } from './engine-memory.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-memory-'));
  file = join(folder, 'docker.json');
});
afterEach(() => rm(folder, { recursive: true }));

/** Adds a network to what is known. */
function add(memory: EngineMemory, id: string): Promise<void> {
  return memory.keep((before) => ({ ...before, networks: { ...before.networks, [id]: { name: id } } }));
}

describe('EngineMemory', () => {
  test('keeps every change, also of those made at once before the file was read, over a start', async () => {
    await add(new EngineMemory(file, silentLog), 'net1');
    const memory = new EngineMemory(file, silentLog);
    await Promise.all([
      add(memory, 'net2'),
      memory.keep((before) => ({ ...before, scope: 'local' })),
      add(memory, 'net3'),
    ]);
    const all = {
      scope: 'local',
      networks: { net1: { name: 'net1' }, net2: { name: 'net2' }, net3: { name: 'net3' } },
    };
    expect(await memory.read()).toEqual(all);
    expect(await new EngineMemory(file, silentLog).read()).toEqual(all);
  });

  test('writes nothing where nothing changes', async () => {
    const memory = new EngineMemory(file, silentLog);
    await add(memory, 'net1');
    await writeFile(file, 'as it was');
    await add(memory, 'net1');
    expect(await readFile(file, 'utf8')).toBe('as it was');
  });

  test('knows nothing of a damaged file, and goes on where none can be written', async () => {
    await writeFile(file, '{"networks": [');
    expect(await new EngineMemory(file, silentLog).read()).toEqual({ networks: {} });
    const nowhere = new EngineMemory(join(folder, 'missing/docker.json'), silentLog);
    await add(nowhere, 'net1');
    expect(await nowhere.read()).toEqual({ networks: { net1: { name: 'net1' } } });
  });
});
