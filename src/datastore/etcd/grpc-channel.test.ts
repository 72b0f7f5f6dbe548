import fc from 'fast-check';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GrpcChannel } from './grpc-channel.js';
import { frameMessage, GrpcError, MessageReader } from './grpc-message.js';
import { GrpcSession } from './grpc-session.js';

let directory: string;
let server: Http2Server;
let channel: GrpcChannel;
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
  channel = new GrpcChannel(`unix://${path}`);
});

afterEach(async () => {
  channel.close();
  for (const session of sessions) session.destroy();
  server.close();
  await rm(directory, { recursive: true });
});

function succeed(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(frameMessage(message));
}

function call(text: string, timeoutMs = 5_000): Promise<Buffer> {
  return channel.call({ path: '/test', message: Buffer.from(text), token: undefined, timeoutMs });
}

async function failure(promise: Promise<unknown>): Promise<Pick<GrpcError, 'code' | 'details'>> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof GrpcError)) throw new Error(`not a GrpcError: ${String(error)}`);
  return { code: error.code, details: error.details };
}

describe('GrpcChannel', () => {
  test('may be closed in the moment its connection comes to stand', () => {
    const { http2 } = new GrpcSession(`unix://${join(directory, 'socket')}`, undefined);
    http2.destroy();
    expect(() => http2.emit('connect')).not.toThrow();
  });

  test('looks after the server as long as a stream is open, and heaps nothing up', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
    try {
      const session = new GrpcSession(`unix://${join(directory, 'socket')}`, undefined);
      await once(session.http2, 'connect');
      const release = session.hold(true);
      const listeners = session.http2.listenerCount('close');
      for (let pings = 0; pings < 12; pings += 1) {
        vi.advanceTimersByTime(10_000);
        expect(vi.getTimerCount()).toBe(2);
        // The answer takes the timer away that would end the connection.
        while (vi.getTimerCount() > 1) await turn();
      }
      expect(session.http2.listenerCount('close')).toBe(listeners);
      expect(session.isUsable).toBe(true);
      release();
      expect(vi.getTimerCount()).toBe(0);
      session.http2.destroy();
    } finally {
      vi.useRealTimers();
    }
  });

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
    const nobody = new GrpcChannel(`unix://${directory}/nobody`);
    const away = nobody.call({ path: '/test', message: Buffer.alloc(0), token: undefined, timeoutMs: 1_000 });
    expect((await failure(away)).details).toContain('ENOENT');
  });

  test('ends what runs when it is closed', async () => {
    answer = () => channel.close();
    expect((await failure(call('x'))).code).toBe(14);
  });

  test('a stream carries messages both ways until one side ends it', async () => {
    server.removeAllListeners('stream');
    server.on('stream', (stream) => {
      const reader = new MessageReader(100);
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.on('data', (chunk: Buffer) => {
        for (const message of reader.push(chunk)) {
          stream.write(frameMessage(Buffer.from(`echo ${message.toString()}`)));
          if (message.toString() === 'bye') stream.end();
        }
      });
    });
    const heard: string[] = [];
    const ended = new Promise((resolve) => {
      const stream = channel.openStream({
        path: '/test',
        token: 'secret',
        onMessage: (message) => heard.push(message.toString()),
        onEnd: resolve,
      });
      stream.send(Buffer.from('a'));
      stream.send(Buffer.alloc(0));
      stream.send(Buffer.from('bye'));
    });
    expect(await ended).toBeUndefined();
    expect(heard).toEqual(['echo a', 'echo ', 'echo bye']);
  });

  test('tells a stream why it broke', async () => {
    answer = succeed;
    await call('x');
    const ended = new Promise<GrpcError | undefined>((resolve) => {
      channel.openStream({ path: '/test', token: undefined, onMessage: () => undefined, onEnd: resolve });
    });
    for (const session of sessions) session.destroy();
    expect((await ended)?.code).toBe(14);
  });
});

describe('MessageReader', () => {
  test('finds the same messages however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), fc.array(fc.nat({ max: 20 })), (messages, cuts) => {
        const reader = new MessageReader(1_000);
        let rest: Buffer = Buffer.concat(messages.map((message) => frameMessage(Buffer.from(message))));
        const found: Buffer[] = [];
        for (const cut of [...cuts, rest.length]) {
          found.push(...reader.push(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        found.push(...reader.push(rest));
        expect(found.map((message) => [...message])).toEqual(messages.map((message) => [...message]));
        expect(reader.isEmpty).toBe(true);
      }),
    );
  });

  test('refuses what is too large before it is there', () => {
    expect(() => new MessageReader(10).push(Buffer.from([0, 0, 0, 0, 11]))).toThrow('the answer is too large');
  });
});
