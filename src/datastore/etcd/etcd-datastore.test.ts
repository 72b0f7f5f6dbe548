import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UnavailableError } from '../../base/errors.js';
import { EtcdDatastore } from './etcd-datastore.js';
import { frameMessage } from './grpc-message.js';

describe('EtcdDatastore with a server that misbehaves', () => {
  let directory: string;
  let server: Http2Server;
  let store: EtcdDatastore;
  let calls: number;
  let answer: (stream: ServerHttp2Stream) => void;
  const sessions: ServerHttp2Session[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-etcd-'));
    const path = join(directory, 'socket');
    calls = 0;
    server = createServer();
    server.on('session', (session) => sessions.push(session));
    server.on('stream', (stream) => {
      calls += 1;
      stream.on('error', () => undefined);
      stream.once('data', () => answer(stream));
    });
    await once(server.listen(path), 'listening');
    store = new EtcdDatastore({ endpoints: [`unix://${path}`] });
  });

  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    for (const session of sessions.splice(0)) session.destroy();
    server.close();
    await rm(directory, { recursive: true });
  });

  const begin = (stream: ServerHttp2Stream, message: Uint8Array): void => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(frameMessage(Buffer.from(message)));
  };

  const watchAll = async (): Promise<void> => {
    for await (const batch of store.watch(['Tier'], { afterRevision: '1' })) expect(batch.events).toEqual([]);
  };

  test('takes an answer that cannot be read for a lost connection, once tried again', async () => {
    answer = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(frameMessage(Buffer.from([0xff, 0xff, 0xff])));
    };
    await expect(store.get({ kind: 'Tier', name: 'default' })).rejects.toBeInstanceOf(UnavailableError);
    expect(calls).toBe(2);
  });

  test('gives a watch up whose messages cannot be read', async () => {
    answer = (stream) => begin(stream, Uint8Array.of(0xff, 0xff, 0xff));
    await expect(watchAll()).rejects.toBeInstanceOf(UnavailableError);
  });

  test('gives a watch up that is cut each time it begins, instead of opening it without end', async () => {
    // WatchResponse { header { revision: 1 } created: true }
    const created = Uint8Array.of(0x0a, 0x02, 0x18, 0x01, 0x18, 0x01);
    answer = (stream) => {
      begin(stream, created);
      setImmediate(() => stream.close());
    };
    await expect(watchAll()).rejects.toBeInstanceOf(UnavailableError);
    expect(calls).toBe(2);
  });
});
