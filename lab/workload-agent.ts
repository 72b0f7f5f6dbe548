/**
 * The program in each workload of the lab: `workload-agent NAME SOCKET`. Listens where it is told to and answers with its name, so that
 * an answer proves who gave it; and tries to reach others, with a short patience. One process a workload, so that a try costs a
 * millisecond and not the start of a program.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { jsonLines } from './agent-protocol.js';
import type { AgentAnswer, AgentRequest, Numbered } from './agent-protocol.js';

type Outcome = { ok: true; from?: string; at?: number } | { ok: false; why: string };

const [name = '', socketPath = ''] = process.argv.slice(2);
const listening = new Map<string, Promise<void>>();

/** The kernel's monotonic clock: the same in every process of the machine, which `performance.now()` is not. */
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

function listenTcp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(name);
    });
    server.once('error', reject);
    server.listen({ port, host: '::' }, () => resolve());
  });
}

function listenUdp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp6');
    socket.once('error', reject);
    socket.on('message', (_, peer) => socket.send(name, peer.port, peer.address, () => undefined));
    socket.bind(port, '::', () => resolve());
  });
}

async function listen(tcp: readonly number[], udp: readonly number[]): Promise<Outcome> {
  const once = (key: string, start: () => Promise<void>): Promise<void> => {
    const running = listening.get(key) ?? start();
    listening.set(key, running);
    return running;
  };
  await Promise.all([
    ...tcp.map((port) => once(`tcp:${port}`, () => listenTcp(port))),
    ...udp.map((port) => once(`udp:${port}`, () => listenUdp(port))),
  ]);
  return { ok: true };
}

function tryTcp(address: string, port: number, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    let from = '';
    let at = 0;
    const socket = connect({ host: address, port });
    const done = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => done({ ok: false, why: 'no answer' }), timeoutMs);
    socket.once('connect', () => (at = monotonicMs()));
    socket.on('data', (data) => (from += data.toString()));
    socket.once('end', () => done({ ok: true, from, at }));
    socket.once('error', (error) => done({ ok: false, why: error.message }));
  });
}

/** Connections one after the other, a new one each millisecond, until one is let through. */
async function waitTcp(address: string, port: number, timeoutMs: number): Promise<Outcome> {
  const deadline = monotonicMs() + timeoutMs;
  const tries = new Set<Promise<Outcome>>();
  let through: Outcome | undefined;
  while (through === undefined && monotonicMs() < deadline) {
    const attempt = tryTcp(address, port, 500).then((outcome) => {
      tries.delete(attempt);
      if (outcome.ok && outcome.from !== '') through ??= outcome;
      return outcome;
    });
    tries.add(attempt);
    await Promise.race([attempt, new Promise((resolve) => setTimeout(resolve, 1))]);
  }
  await Promise.all(tries);
  return through ?? { ok: false, why: `nothing let through in ${timeoutMs} ms` };
}

function tryUdp(address: string, port: number, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const send = (): void => socket.send('who', port, address, () => undefined);
    const again = setInterval(send, 100);
    const done = (outcome: Outcome): void => {
      clearInterval(again);
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => done({ ok: false, why: 'no answer' }), timeoutMs);
    socket.once('message', (data) => done({ ok: true, from: data.toString() }));
    socket.once('error', (error) => done({ ok: false, why: error.message }));
    send();
  });
}

function tryIcmp(address: string, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn('ping', ['-n', '-q', '-c', '1', '-W', String(timeoutMs / 1000), address], { stdio: 'ignore' });
    child.once('error', (error) => resolve({ ok: false, why: error.message }));
    child.once('close', (code) => resolve(code === 0 ? { ok: true } : { ok: false, why: 'no answer' }));
  });
}

function answer(request: AgentRequest): Promise<Outcome> {
  switch (request.op) {
    case 'listen':
      return listen(request.tcp, request.udp);
    case 'tcp':
      return tryTcp(request.address, request.port, request.timeoutMs);
    case 'udp':
      return tryUdp(request.address, request.port, request.timeoutMs);
    case 'icmp':
      return tryIcmp(request.address, request.timeoutMs);
    case 'wait-tcp':
      return waitTcp(request.address, request.port, request.timeoutMs);
  }
}

rmSync(socketPath, { force: true });
createServer((client) => {
  client.on('error', () => client.destroy());
  client.on(
    'data',
    jsonLines((value) => {
      const request = value as Numbered;
      answer(request)
        .catch((error: unknown): Outcome => ({
          ok: false,
          why: error instanceof Error ? error.message : String(error),
        }))
        .then((outcome) => {
          const reply: AgentAnswer = { id: request.id, ...outcome };
          return client.writable && client.write(`${JSON.stringify(reply)}\n`);
        })
        .catch(() => client.destroy());
    }),
  );
}).listen(socketPath);
