import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { Socket as StreamSocket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { decodeQuery, encodeAnswer, TYPE } from '../../../src/docker/dns-message.js';
import type { Resolution } from '../../../src/docker/resolver.js';
import { ResolverListener } from '../../../src/docker/resolver-listener.js';
import { openInetSocket } from '../../../src/sys/inet-socket.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

const LOOPBACK = [127, 0, 0, 1] as const;
const RESOLVER = '127.0.0.11';

/** A question as a program would write it: id, flags, one question. */
function question(name: string, type: number): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  const header = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.of(0, type >> 8, type & 255, 0, 1)]);
}

/** Code and addresses of an answer whose question is of that length. */
function read(answer: Buffer, asked: Buffer): { code: number; addresses: string[] } {
  const addresses: string[] = [];
  for (let at = asked.length; at < answer.length; at += 16) addresses.push(answer.subarray(at + 12, at + 16).join('.'));
  expect(answer.readUInt16BE(0)).toBe(0x1234);
  return { code: answer.readUInt8(3) & 0xf, addresses };
}

interface FakeEngine {
  readonly asked: string[];
  stop(): void;
}

type Iptables = 'iptables-nft' | 'iptables-legacy';

function inside(
  namespace: NetworkNamespace,
  ...words: readonly string[]
): { stderr: string; stdout: string; status: number | null } {
  return spawnSync('nsenter', [`--net=${namespace.path}`, ...words], { encoding: 'utf8' });
}

/** What an engine does in a container: a resolver on some port, and rules that lead port 53 there. It knows `local`, and `slow` never. */
function startEngine(namespace: NetworkNamespace, program: Iptables): FakeEngine {
  const asked: string[] = [];
  const { fd, port } = namespace.run(() => openInetSocket({ type: 'udp', address: [127, 0, 0, 11] }));
  const socket = createSocket('udp4').bind({ fd });
  socket.on('message', (bytes, from) => {
    const query = decodeQuery(bytes);
    if (query === undefined) return;
    asked.push(query.name);
    if (query.name.startsWith('slow')) return;
    const answers = query.name === 'local' ? { code: 0, addresses: ['192.0.2.1'] } : { code: 3 };
    socket.send(encodeAnswer(query, answers), from.port, from.address);
  });
  const words = `-t nat -A OUTPUT -d ${RESOLVER} -p udp --dport 53 -j DNAT --to-destination ${RESOLVER}:${port}`;
  const { stderr, status } = inside(namespace, program, ...words.split(' '));
  if (status !== 0) throw new Error(stderr);
  let isStopped = false;
  return {
    asked,
    stop() {
      if (!isStopped) socket.close();
      isStopped = true;
    },
  };
}

/** Sends the hex digits of word 2 as UDP from port 0 to the port of word 1: what only a raw socket can, as containers may open by default. */
const FROM_NO_PORT = String.raw`
  socket(my $s, AF_INET, SOCK_RAW, 17) or die $!;
  my $q = pack("H*", $ARGV[1]);
  send($s, pack("nnnn", 0, $ARGV[0], 8 + length $q, 0) . $q, 0, sockaddr_in(0, inet_aton("127.0.0.1"))) or die $!;`;

const resolve = ({ name }: { name: string }): Resolution => {
  if (name === 'far.net1') return { by: 'us', answers: { code: 0, addresses: ['198.51.100.7', '198.51.100.8'] } };
  return { by: name.endsWith('other') ? 'foreign' : 'engine' };
};

describe.each<Iptables>(['iptables-nft', 'iptables-legacy'])(
  'ResolverListener beside an engine with %s',
  (iptables) => {
    let namespace: NetworkNamespace;
    let engine: FakeEngine;
    let listener: ResolverListener;
    let program: Socket;

    beforeEach(async () => {
      namespace = NetworkNamespace.create();
      inside(namespace, 'ip', 'link', 'set', 'lo', 'up');
      engine = startEngine(namespace, iptables);
      listener = await ResolverListener.open({ sandbox: namespace.path, resolve, clock: systemClock });
      program = createSocket('udp4').bind({
        fd: namespace.run(() => openInetSocket({ type: 'udp', address: LOOPBACK })).fd,
      });
    });
    afterEach(() => {
      program.close();
      listener[Symbol.dispose]();
      engine.stop();
      namespace.close();
    });

    async function ask(name: string, type: number = TYPE.A): Promise<ReturnType<typeof read>> {
      const asked = question(name, type);
      const answer = await new Promise<Buffer>((resolved) => {
        program.once('message', (bytes, { address, port }) => {
          expect([address, port]).toEqual([RESOLVER, 53]);
          resolved(bytes);
        });
        program.send(asked, 53, RESOLVER);
      });
      return read(answer, asked);
    }

    test('answers what it knows in place of the engine, and hands on the rest', async () => {
      expect(await ask('far.net1')).toEqual({ code: 0, addresses: ['198.51.100.7', '198.51.100.8'] });
      expect(await ask('local')).toEqual({ code: 0, addresses: ['192.0.2.1'] });
      expect(await ask('nobody')).toEqual({ code: 3, addresses: [] });
      expect(engine.asked).toEqual(['local', 'nobody']);
    });

    test("says at once that another network's name is none, though the engine should wait for somebody", async () => {
      const start = performance.now();
      expect((await ask('slow.other')).code).toBe(3);
      expect(performance.now() - start).toBeLessThan(100);
    });

    test('fails at once when no engine is there', async () => {
      engine.stop();
      const start = performance.now();
      expect((await ask('local')).code).toBe(2);
      expect((await ask('far.net1')).code).toBe(0);
      expect(performance.now() - start).toBeLessThan(100);
    });

    test('answers over TCP', async () => {
      const { fd } = namespace.run(() => openInetSocket({ type: 'tcp', address: LOOPBACK }));
      const client = new StreamSocket({ fd });
      const asked = question('far.net1', TYPE.A);
      const answer = await new Promise<Buffer>((resolved, rejected) => {
        client.once('data', resolved);
        client.once('error', rejected);
        client.connect(53, RESOLVER, () => client.write(Buffer.concat([Buffer.of(0, asked.length), asked])));
      });
      client.destroy();
      expect(read(answer.subarray(2), asked).addresses).toEqual(['198.51.100.7', '198.51.100.8']);
    });

    test('outlives a question from no port at all, where no answer can be sent to', async () => {
      const rules = inside(namespace, 'nft', 'list', 'ruleset').stdout;
      const port = /udp dport 53 .*dnat to 127\.0\.0\.1:(\d+)/.exec(rules)?.[1] ?? '';
      const asked = question('far.net1', TYPE.A).toString('hex');
      expect(inside(namespace, 'perl', '-MSocket', '-e', FROM_NO_PORT, port, asked)).toMatchObject({ status: 0 });
      expect((await ask('far.net1')).code).toBe(0);
    });

    test('puts in rules that nobody else can change, and that go with it', async () => {
      const listed = (): string => inside(namespace, 'nft', '-s', 'list', 'ruleset').stdout;
      const shown = listed()
        .replaceAll(/dnat to 127\.0\.0\.1:\d+/g, 'dnat to 127.0.0.1:P')
        .replaceAll(/ udp dport \d{3,}/g, ' udp dport P');
      for (const line of [
        'flags owner',
        'type nat hook output priority -110; policy accept;',
        'ip daddr 127.0.0.11 udp dport 53 meta mark != 0x0000ca11 limit rate 1000/second burst 1000 packets dnat to 127.0.0.1:P',
        'ip daddr 127.0.0.11 tcp dport 53 meta mark != 0x0000ca11 limit rate 1000/second burst 1000 packets dnat to 127.0.0.1:P',
      ]) {
        expect(shown).toContain(line);
      }
      expect(inside(namespace, 'nft', 'delete', 'table', 'ip', 'calico-names').status).not.toBe(0);
      inside(namespace, 'nft', 'flush', 'ruleset');
      expect(listed()).toContain('calico-names');
      listener[Symbol.dispose]();
      expect(listed()).not.toContain('calico-names');
    });

    test('leaves the engine alone once it is closed', async () => {
      listener[Symbol.dispose]();
      expect((await ask('far.net1')).code).toBe(3);
      expect(engine.asked).toEqual(['far.net1']);
    });
  },
);
