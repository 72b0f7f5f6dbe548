import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { parseAddress } from '../../net/address.js';
import { type AttributeWriter, encodeAttributes } from '../attributes.js';
import type { Message } from '../message.js';
import { NetlinkSocket } from '../socket.js';
import { ackReply, dumpReply, FakeTransport } from '../transport.fake.js';
import { decodeFlow, deleteFlowsOf, encodeTuple, type FlowTuple } from './flow.js';

const ORIGINAL: FlowTuple = {
  source: parseAddress('192.0.2.7'),
  destination: parseAddress('192.0.2.8'),
  protocol: 6,
  sourcePort: 1234,
  destinationPort: 80,
};

function reverse(tuple: FlowTuple): FlowTuple {
  return { ...tuple, source: tuple.destination, destination: tuple.source };
}

function flowBytes(original: FlowTuple, reply = reverse(original), more?: (writer: AttributeWriter) => void): Buffer {
  return encodeAttributes((writer) => {
    writer.header(4).writeUInt8(original.source.family === 4 ? 2 : 10, 0);
    writer.nest(1, (tuple) => encodeTuple(tuple, original)).nest(2, (tuple) => encodeTuple(tuple, reply));
    more?.(writer);
  });
}

describe('encodeTuple()', () => {
  test('tcp 192.0.2.7:1234 to 192.0.2.8:80', () => {
    // CTA_TUPLE_IP { CTA_IP_V4_SRC, CTA_IP_V4_DST }, CTA_TUPLE_PROTO { number, source port, destination port }
    expect(encodeAttributes((w) => encodeTuple(w, ORIGINAL)).toString('hex')).toBe(
      '14000180' +
        '08000100c0000207' +
        '08000200c0000208' +
        '1c000280' +
        '0500010006000000' +
        '0600020004d20000' +
        '0600030000500000',
    );
  });
});

describe('decodeFlow()', () => {
  test('reads both directions and the zone', () => {
    const flow = decodeFlow(flowBytes(ORIGINAL, reverse(ORIGINAL), (w) => w.u16BE(18, 7)));
    expect(flow).toMatchObject({ original: ORIGINAL, reply: reverse(ORIGINAL), zone: 7 });
  });

  test('random bytes give a flow or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          expect(decodeFlow(Buffer.from(bytes)).original.source.family).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
  });
});

describe('deleteFlowsOf()', () => {
  const dnat: FlowTuple = { ...reverse(ORIGINAL), source: parseAddress('192.0.2.9') };
  const others: FlowTuple = {
    ...ORIGINAL,
    source: parseAddress('198.51.100.1'),
    destination: parseAddress('198.51.100.2'),
  };

  function conntrack(refuse: (deletion: Message) => number) {
    const transport = new FakeTransport((request) => {
      if ((request.type & 0xff) === 2) return [ackReply(request, refuse(request))];
      const isV4 = request.payload.readUInt8(0) === 2;
      return dumpReply(request, 0x100, isV4 ? [[flowBytes(ORIGINAL), flowBytes(others), flowBytes(others, dnat)]] : []);
    });
    const deletions = (): Message[] => transport.requests.filter(({ type }) => (type & 0xff) === 2);
    return { socket: new NetlinkSocket(transport, 12), deletions };
  }

  test('deletes what an address began and what it answers, nothing else', async () => {
    const { socket, deletions } = conntrack(() => 0);
    expect(await deleteFlowsOf(socket, [parseAddress('192.0.2.7')])).toBe(1);
    expect(await deleteFlowsOf(socket, [parseAddress('192.0.2.9')])).toBe(1);
    expect(await deleteFlowsOf(socket, [parseAddress('192.0.2.10'), parseAddress('2001:db8::7')])).toBe(0);
    expect(deletions()).toHaveLength(2);
    expect(deletions()[0]?.payload.toString('hex')).toBe(
      '02000000' + '34000180' + encodeAttributes((w) => encodeTuple(w, ORIGINAL)).toString('hex'),
    );
  });

  test('one that ended by itself does not count; a refusal is an error', async () => {
    expect(await deleteFlowsOf(conntrack(() => 2).socket, [parseAddress('192.0.2.7')])).toBe(0);
    await expect(deleteFlowsOf(conntrack(() => 1).socket, [parseAddress('192.0.2.7')])).rejects.toThrowError(
      'cannot forget the connection 192.0.2.7 to 192.0.2.8: EPERM',
    );
  });
});
