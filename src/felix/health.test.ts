import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Health } from './health.js';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('Health', () => {
  test('answers 503 until every part is ready, and says which is not', async () => {
    const health = new Health();
    const stop = new AbortController();
    const port = await freePort();
    await health.serve({ host: 'localhost', port }, stop.signal);
    const get = async (path: string): Promise<{ status: number; text: string }> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      return { status: answer.status, text: await answer.text() };
    };
    expect((await get('/readiness')).status).toBe(204);
    health.report('FelixStartup', { isReady: true });
    health.report('CalculationGraph', { detail: 'listing' });
    const early = await get('/readiness');
    expect(early.status).toBe(503);
    expect(early.text).toBe('FelixStartup      live  ready\nCalculationGraph  live  not ready  listing\n');
    expect((await get('/liveness')).status).toBe(200);
    health.report('CalculationGraph', { isReady: true, detail: '' });
    expect((await get('/readiness')).status).toBe(200);
    expect((await get('/other')).status).toBe(404);
    stop.abort();
  });

  test('names the address that cannot be served, and what to do', async () => {
    const stop = new AbortController();
    const port = await freePort();
    await new Health().serve({ host: '127.0.0.1', port }, stop.signal);
    const second = new Health().serve({ host: '127.0.0.1', port }, stop.signal);
    await expect(second).rejects.toMatchObject({ code: 'ERR_CALI_FELIX_HEALTH' });
    stop.abort();
  });
});
