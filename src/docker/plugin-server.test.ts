import { existsSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { silentLog } from '../base/log.js';
import { PluginServer } from './plugin-server.js';

let folder: string;
let socketPath: string;
let server: PluginServer;

const methods = {
  'Plugin.Activate': () => ({ Implements: ['NetworkDriver'] }),
  'NetworkDriver.Echo': (body: unknown) => ({ body }),
  'NetworkDriver.Fail': () => Promise.reject(new CalicoError('ERR_CALI_X', 'no room', { hint: 'make some' })),
  'NetworkDriver.Bug': () => {
    throw new TypeError('x is undefined');
  },
};

function ask(path: string, body = '', method = 'POST'): Promise<{ status: number; answer: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, answer: JSON.parse(Buffer.concat(chunks).toString()) as unknown }),
      );
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-plugin-'));
  socketPath = join(folder, 'plugins/calico.sock');
  server = await PluginServer.start({ socketPath, methods, log: silentLog });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('PluginServer', () => {
  test('calls methods by name, with any verb and with an empty body', async () => {
    expect(await ask('/Plugin.Activate')).toEqual({ status: 200, answer: { Implements: ['NetworkDriver'] } });
    expect(await ask('/Plugin.Activate', '', 'GET')).toMatchObject({ status: 200 });
    expect(await ask('/NetworkDriver.Echo', '{"a":1}\n')).toEqual({ status: 200, answer: { body: { a: 1 } } });
    expect(await ask('/NetworkDriver.Echo')).toEqual({ status: 200, answer: { body: {} } });
  });

  test('tells failures where engines look for them, on one line with the hint', async () => {
    expect(await ask('/NetworkDriver.Fail')).toEqual({ status: 500, answer: { Err: 'no room (make some)' } });
    expect(await ask('/NetworkDriver.Bug')).toEqual({ status: 500, answer: { Err: 'x is undefined' } });
    expect(await ask('/NetworkDriver.NoSuch')).toMatchObject({ status: 404 });
    expect(await ask('/toString')).toMatchObject({ status: 404 });
    expect(await ask('/NetworkDriver.Echo', '{"a"')).toMatchObject({ status: 400 });
  });

  test('refuses a body over 1 MiB', async () => {
    expect(await ask('/NetworkDriver.Echo', `"${'x'.repeat(2 * 1024 * 1024)}"`).catch(() => 'cut')).toSatisfy(
      (outcome: unknown) => outcome === 'cut' || (outcome as { status: number }).status === 413,
    );
    expect(await ask('/Plugin.Activate')).toMatchObject({ status: 200 });
  });

  test('lets nobody else connect, and takes its socket away', async () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
    await server.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  test('replaces a file that a dead server left, and leaves a live one alone', async () => {
    await expect(PluginServer.start({ socketPath, methods, log: silentLog })).rejects.toMatchObject({
      code: 'ERR_CALI_DOCKER_LISTEN',
    });
    await server.close();
    writeFileSync(socketPath, '');
    server = await PluginServer.start({ socketPath, methods, log: silentLog });
    expect(await ask('/Plugin.Activate')).toMatchObject({ status: 200 });
  });
});
