import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UnaryChannel, UnaryError } from './unary-channel.js';

let directory: string;
let server: Http2Server;
let channel: UnaryChannel;
let sessions: ServerHttp2Session[];
let answer: (stream: ServerHttp2Stream, message: Buffer) => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-unary-'));
  const path = join(directory, 'socket');
  sessions = [];
  server = createServer();
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => answer(stream, Buffer.concat(chunks).subarray(5)));
  });
  await once(server.listen(path), 'listening');
  channel = new UnaryChannel(`unix://${path}`);
});

afterEach(async () => {
  channel.close();
  for (const session of sessions) session.destroy();
  server.close();
  await rm(directory, { recursive: true });
});

function succeed(stream: ServerHttp2Stream, message: Buffer): void {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([prefix, message]));
}

function call(text: string, timeoutMs = 5_000): Promise<Buffer> {
  return channel.call({ path: '/test', message: Buffer.from(text), token: undefined, timeoutMs });
}

async function failure(promise: Promise<unknown>): Promise<Pick<UnaryError, 'code' | 'details'>> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof UnaryError)) throw new Error(`not a UnaryError: ${String(error)}`);
  return { code: error.code, details: error.details };
}

describe('UnaryChannel', () => {
  test('carries messages of any size both ways, many at once, over one connection', async () => {
    answer = succeed;
    const texts = ['', 'a', 'b'.repeat(3_000_000), 'c'];
    expect((await Promise.all(texts.map((text) => call(text)))).map(String)).toEqual(texts);
    expect(sessions).toHaveLength(1);
  });

  test('says what the server said, decoded', async () => {
    answer = (stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '11', 'grpc-message': 'gone%20for%20good' }, { endStream: true });
    expect(await failure(call('x'))).toEqual({ code: 11, details: 'gone for good' });
  });

  test('ends a call that gets no answer in time', async () => {
    answer = () => undefined;
    expect(await failure(call('x', 20))).toEqual({ code: 4, details: 'no answer in time' });
  });

  test('takes a new connection after the server said goodbye', async () => {
    answer = succeed;
    await call('x');
    const [session] = sessions;
    session?.goaway();
    session?.close();
    expect(String(await call('y'))).toBe('y');
    expect(sessions).toHaveLength(2);
  });

  test('refuses an answer that is cut short', async () => {
    answer = (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 9, 1]));
    };
    expect(await failure(call('x'))).toEqual({ code: 13, details: 'an answer that cannot be read' });
  });

  test('reports a connection that breaks, and one that nobody takes', async () => {
    answer = (stream) => stream.session?.destroy();
    expect((await failure(call('x'))).code).toBe(14);
    const nobody = new UnaryChannel(`unix://${directory}/nobody`);
    const away = nobody.call({ path: '/test', message: Buffer.alloc(0), token: undefined, timeoutMs: 1_000 });
    expect((await failure(away)).details).toContain('ENOENT');
  });

  test('ends what runs when it is closed', async () => {
    answer = () => channel.close();
    expect((await failure(call('x'))).code).toBe(14);
  });
});
