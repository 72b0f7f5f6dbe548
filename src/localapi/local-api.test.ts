import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConflictError, NotFoundError, UnavailableError } from '../base/errors.js';
import { LocalApiClient } from './client.js';
import { HEALTHY_NODE as status } from './node-status.fake.js';
import { findRoute, type LocalRoute } from './router.js';
import { LocalApiServer } from './server.js';

let folder: string;
let socketPath: string;
let client: LocalApiClient;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calico-local-'));
  socketPath = join(folder, 'calico.sock');
  client = new LocalApiClient(socketPath);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const serve = (...routes: LocalRoute[]) =>
  LocalApiServer.start({
    socketPath,
    routes: [{ method: 'GET', path: '/v1/status', answer: () => ({ body: status }) }, ...routes],
  });

/** @returns the status and the code of the failure */
const send = (method: string, path: string, body = ''): Promise<[number | undefined, unknown]> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve([response.statusCode, (JSON.parse(text) as { code?: string }).code]));
    });
    asked.on('error', reject);
    asked.end(body);
  });

describe('LocalApiServer', () => {
  test('answers on a socket that only root and its group may use', async () => {
    await using server = await serve();
    expect(await client.status()).toEqual(status);
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
    await server.close();
    await expect(client.status()).rejects.toThrow(UnavailableError);
  });

  test('replaces a socket nobody listens on, and leaves alone one that lives', async () => {
    writeFileSync(socketPath, '');
    await using first = await serve();
    await expect(serve()).rejects.toThrow('another calico-node runs on this host (pid 77)');
    expect(await client.status()).toEqual(status);
    await first.close();
  });

  test('gives parameters and bodies to routes, and failures back as what they were', async () => {
    const seen: unknown[] = [];
    await using server = await serve(
      {
        method: 'DELETE',
        path: '/v1/workloads/{namespace}/{name}',
        answer: ({ parameters }) => {
          seen.push(parameters);
          throw new ConflictError('ERR_CALI_X', 'somebody was quicker', { hint: 'try again' });
        },
      },
      {
        method: 'POST',
        path: '/v1/workloads',
        answer: ({ body }) => {
          seen.push(body);
          throw new TypeError('a bug');
        },
      },
    );
    const failed = await client.detach({ namespace: 'a/b', name: 'c' }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ConflictError);
    expect(failed).toMatchObject({ code: 'ERR_CALI_X', message: 'somebody was quicker', hint: 'try again' });
    await expect(client.attach({ netns: 7, workload: 'w' })).rejects.toThrow('a bug');
    expect(seen).toEqual([
      { namespace: 'a/b', name: 'c' },
      { netns: 7, workload: 'w' },
    ]);
    await expect(client.health()).rejects.toThrow(NotFoundError);
    await server.close();
  });

  test('there is no route to what cannot be decoded', () => {
    const route: LocalRoute = { method: 'GET', path: '/v1/workloads/{name}', answer: () => ({ body: {} }) };
    expect(findRoute([route], 'GET', '/v1/workloads/a%2Fb').parameters).toEqual({ name: 'a/b' });
    expect(() => findRoute([route], 'GET', '/v1/workloads/%zz')).toThrow(NotFoundError);
  });

  test('says what is wrong with a request that makes no sense', async () => {
    const echo: LocalRoute = { method: 'POST', path: '/v1/echo', answer: ({ body }) => ({ body: { body } }) };
    const bugs: unknown[] = [];
    const broken: LocalRoute = {
      method: 'GET',
      path: '/v1/broken',
      answer: () => {
        throw new TypeError('a bug');
      },
    };
    await using server = await LocalApiServer.start({
      socketPath,
      routes: [echo, broken],
      onBug: (error) => bugs.push(error),
    });
    expect(await send('POST', '/v1/echo', '{"a":')).toEqual([400, 'ERR_CALI_LOCAL_BODY']);
    expect(await send('POST', '/v1/echo', 'x'.repeat(3_000_000))).toEqual([413, 'ERR_CALI_LOCAL_TOO_LARGE']);
    expect(await send('POST', '/v1/echo', '"ok"')).toEqual([200, undefined]);
    expect(await send('GET', '/v1/echo')).toEqual([405, 'ERR_CALI_LOCAL_METHOD']);
    expect(await send('PATCH', '/v1/echo')).toEqual([405, 'ERR_CALI_LOCAL_METHOD']);
    expect(await send('GET', '/v1/nothing')).toEqual([404, 'ERR_CALI_LOCAL_ROUTE']);
    expect(await send('GET', '/v2/status')).toEqual([404, 'ERR_CALI_LOCAL_ROUTE']);
    expect(await send('GET', '/v1/broken')).toEqual([500, 'ERR_CALI_LOCAL_BUG']);
    expect(bugs).toEqual([new TypeError('a bug')]);
    await server.close();
  });

  test('a client says when something else listens there', async () => {
    const stranger = createServer((_, response) => response.end('hi')).listen(socketPath);
    try {
      await expect(client.status()).rejects.toThrow('is no calico-node: no JSON');
    } finally {
      await new Promise((resolve) => {
        stranger.close(resolve);
      });
    }
  });
});
