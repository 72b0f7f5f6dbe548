import { setTimeout as wait } from 'node:timers/promises';
import type { NetworkNamespace } from '../../../src/sys/namespace.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_RAW } from '../../../src/sys/constants.js';
import { OwnedFd } from '../../../src/sys/fd.js';
import { bind, recv, send, socket } from '../../../src/sys/libc.js';
import { addressBytes, parseAddress } from '../../../src/net/address.js';
import { macBytes } from '../../../src/net/mac.js';

// include/linux/socket.h, include/uapi/linux/if_ether.h
const AF_PACKET = 17;
const ETH_P_ALL = 3;

/** What a frame carries: the first packet of a flow. */
export interface Probe {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
}

/** Sends and hears whole Ethernet frames on one interface of a namespace. */
export class PacketPort {
  readonly #fd: OwnedFd;
  readonly #buffer = Buffer.allocUnsafeSlow(4096);

  private constructor(fd: OwnedFd) {
    this.#fd = fd;
  }

  static open(namespace: NetworkNamespace, interfaceIndex: number): PacketPort {
    const protocol = ((ETH_P_ALL & 0xff) << 8) | (ETH_P_ALL >> 8);
    const fd = namespace.run(() =>
      OwnedFd.adopt(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), 'open a packet socket'),
    );
    // struct sockaddr_ll
    const address = Buffer.alloc(20);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ETH_P_ALL, 2);
    address.writeInt32LE(interfaceIndex, 4);
    if (bind(fd.number, address) < 0) throw new Error('cannot bind a packet socket');
    return new PacketPort(fd);
  }

  send(frame: Uint8Array): void {
    const result = send(this.#fd.number, frame, 0);
    if (result < 0) throw new Error(`cannot send a frame: errno ${-result}`);
  }

  /** Everything heard since the last call. */
  drain(): Buffer[] {
    const frames: Buffer[] = [];
    for (;;) {
      const length = recv(this.#fd.number, this.#buffer, 0);
      if (length <= 0) return frames;
      frames.push(Buffer.from(this.#buffer.subarray(0, length)));
    }
  }

  /** True when a frame that holds the bytes arrives; what does not within the time, does not arrive. */
  async hears(marker: Buffer, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (this.drain().some((frame) => frame.includes(marker))) return true;
      if (performance.now() > deadline) return false;
      await wait(1);
    }
  }

  close(): void {
    this.#fd.close();
  }
}

/** RFC 1071. */
function checksum(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(
    parts.map((part) => (part.length % 2 === 0 ? part : Buffer.concat([part, Buffer.alloc(1)]))),
  );
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function transport(probe: Probe, marker: Buffer): { readonly bytes: Buffer; readonly checksumAt: number } {
  const { protocol, sourcePort = 0, destinationPort = 0, icmp = { type: 8, code: 0 } } = probe;
  if (protocol === 6) {
    const header = Buffer.alloc(20);
    header.writeUInt16BE(sourcePort, 0);
    header.writeUInt16BE(destinationPort, 2);
    // Data offset 5 words, SYN.
    header.writeUInt16BE(0x5002, 12);
    header.writeUInt16BE(0xffff, 14);
    return { bytes: Buffer.concat([header, marker]), checksumAt: 16 };
  }
  if (protocol === 17) {
    const header = Buffer.alloc(8);
    header.writeUInt16BE(sourcePort, 0);
    header.writeUInt16BE(destinationPort, 2);
    header.writeUInt16BE(8 + marker.length, 4);
    return { bytes: Buffer.concat([header, marker]), checksumAt: 6 };
  }
  const header = Buffer.alloc(8);
  header.writeUInt8(icmp.type, 0);
  header.writeUInt8(icmp.code, 1);
  return { bytes: Buffer.concat([header, marker]), checksumAt: 2 };
}

/** The Ethernet frame of a probe; `marker` is its payload. */
export function frameOf(probe: Probe, ends: { readonly from: string; readonly to: string }, marker: Buffer): Buffer {
  const source = parseAddress(probe.source);
  const addresses = Buffer.concat([addressBytes(source), addressBytes(parseAddress(probe.destination))]);
  const { bytes, checksumAt } = transport(probe, marker);
  const isV4 = source.family === 4;
  const pseudo = Buffer.concat([
    addresses,
    Buffer.from([0, probe.protocol]),
    Buffer.from([bytes.length >> 8, bytes.length & 255]),
  ]);
  bytes.writeUInt16BE(probe.protocol === 1 ? checksum(bytes) : checksum(pseudo, bytes), checksumAt);
  const header = isV4 ? ipv4Header(probe.protocol, bytes.length) : ipv6Header(probe.protocol, bytes.length);
  const network = Buffer.concat([header, addresses]);
  if (isV4) network.writeUInt16BE(checksum(network), 10);
  const ethernet = Buffer.concat([macBytes(ends.to), macBytes(ends.from), Buffer.from(isV4 ? [8, 0] : [0x86, 0xdd])]);
  return Buffer.concat([ethernet, network, bytes]);
}

function ipv4Header(protocol: number, length: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + length, 2);
  header.writeUInt16BE(0x4000, 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(protocol, 9);
  return header;
}

function ipv6Header(protocol: number, length: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(64, 7);
  return header;
}
