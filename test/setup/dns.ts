import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import type { ResolveSrv } from '../../src/datastore/etcd/discovery.js';

/** What a name answers: port and target of each server. */
export type Zone = Record<string, readonly { readonly target: string; readonly port: number }[]>;

const HEADER_BYTES = 12;
const TYPE_SRV = 33;
const CLASS_IN = 1;
const NXDOMAIN = 3;

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)]);
}

function readName(message: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('ascii', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

/** A DNS server on 127.0.0.1 that knows SRV records alone (RFC 1035, section 4.1; RFC 2782). */
export class TestDns {
  /** May be changed at any time. */
  readonly zone: Zone;
  /** Names asked for, in order. */
  readonly questions: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.zone = zone;
    socket.on('message', (message, { port, address }) => socket.send(this.#answer(message), port, address));
  }

  static async start(zone: Zone): Promise<TestDns> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new TestDns(socket, zone);
  }

  /** Asks this server, with the resolver that programs use. */
  get resolveSrv(): ResolveSrv {
    return (name) => {
      const resolver = new Resolver({ timeout: 1_000, tries: 2 });
      resolver.setServers([`127.0.0.1:${this.#socket.address().port}`]);
      return resolver.resolveSrv(name);
    };
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #answer(message: Buffer): Buffer {
    const { name, end } = readName(message);
    const question = message.subarray(HEADER_BYTES, end + 4);
    this.questions.push(name);
    const records = message.readUInt16BE(end) === TYPE_SRV ? (this.zone[name] ?? []) : [];
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(message.readUInt16BE(0), 0);
    // Response, authoritative, recursion desired and available.
    header.writeUInt16BE(0x8580 | (records.length === 0 ? NXDOMAIN : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.map(({ target, port }) => {
      const targetName = encodeName(target);
      const fixed = Buffer.alloc(18);
      fixed.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
      fixed.writeUInt16BE(TYPE_SRV, 2);
      fixed.writeUInt16BE(CLASS_IN, 4);
      fixed.writeUInt16BE(6 + targetName.length, 10);
      fixed.writeUInt16BE(port, 16);
      return Buffer.concat([fixed, targetName]);
    });
    return Buffer.concat([header, question, ...answers]);
  }
}
