import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { extendedAck, NLM_F_ACK, oneRequest, parseMessages, replyErrno, Requests } from './message.js';
import { ackReply, messageBytes } from './transport.fake.js';

describe('Requests', () => {
  test('frames each request and numbers them when they are sent', () => {
    const requests = new Requests(16)
      .add({ type: 18 }, (w) => w.header(4))
      .add({ type: 20, flags: 0x400 }, (w) => w.u8(1, 7));
    expect(requests.datagram({ from: 0, to: 2, sequence: 5, lastFlags: NLM_F_ACK }).toString('hex')).toBe(
      '14000000' +
        '1200' +
        '0100' +
        '05000000' +
        '00000000' +
        '00000000' +
        '18000000' +
        '1400' +
        '0504' +
        '06000000' +
        '00000000' +
        '0500010007000000',
    );
  });

  test('gives a part of them', () => {
    const requests = new Requests();
    for (let i = 0; i < 5; i += 1) requests.add({ type: 100 + i });
    const part = parseMessages(requests.datagram({ from: 1, to: 3, sequence: 7, lastFlags: NLM_F_ACK }));
    expect(part.map(({ type, sequence, flags }) => [type, sequence, flags])).toEqual([
      [101, 7, 1],
      [102, 8, 5],
    ]);
    expect(requests.chunkEnd(0, 3, 1000)).toBe(3);
    expect(requests.chunkEnd(0, 100, 40)).toBe(2);
    expect(requests.chunkEnd(4, 100, 1)).toBe(5);
  });

  test('says what a request attempts', () => {
    expect(oneRequest({ type: 18, what: () => 'list links' }).what(0)).toBe('list links');
    expect(oneRequest({ type: 18 }).what(0)).toBe('send netlink message of type 18');
  });
});

describe('parseMessages()', () => {
  test('splits a datagram and refuses lengths that reach outside', () => {
    const two = Buffer.concat([
      messageBytes({ type: 1 }, Buffer.from('abc')),
      messageBytes({ type: 2 }, Buffer.alloc(0)),
    ]);
    expect(parseMessages(two).map(({ type, payload }) => [type, payload.toString()])).toEqual([
      [1, 'abc'],
      [2, ''],
    ]);
    expect(() => parseMessages(two.subarray(0, 18))).toThrowError('a message says 19 bytes, 18 are left');
    expect(() => parseMessages(two.subarray(0, 30))).toThrowError('10 bytes after the last message');
    const short = Buffer.from(two);
    short.writeUInt32LE(3, 0);
    expect(() => parseMessages(short)).toThrowError('a message says 3 bytes');
  });

  test('random bytes give messages or a refusal, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          for (const message of parseMessages(Buffer.from(bytes))) {
            expect(replyErrno(message)).toBeGreaterThanOrEqual(0);
            expect(extendedAck(message)).toBeTypeOf('object');
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
    expect(parseMessages(Buffer.alloc(0))).toEqual([]);
  });
});

describe('extendedAck()', () => {
  const [request] = parseMessages(messageBytes({ type: 24, sequence: 9 }, Buffer.alloc(12)));

  test('reads text and offset after the refused header', () => {
    const [reply] =
      request === undefined ? [] : parseMessages(ackReply(request, 22, { text: 'Invalid scope', offset: 24 }));
    expect(reply === undefined ? undefined : [replyErrno(reply), extendedAck(reply)]).toEqual([
      22,
      { text: 'Invalid scope', offset: 24 },
    ]);
  });

  test('reads them after the whole refused request, when the kernel sends it back', () => {
    // errno -22, the header of a request of 28 bytes, its 12 bytes, NLMSGERR_ATTR_MSG "no"; flags: ACK_TLVS, not CAPPED
    const payload = Buffer.from(
      'eaffffff1c000000180001000900000000000000' + '00'.repeat(12) + '070001006e6f0000',
      'hex',
    );
    const [reply] = parseMessages(messageBytes({ type: 2, flags: 0x200 }, payload));
    expect(reply === undefined ? undefined : extendedAck(reply)).toEqual({ text: 'no' });
  });

  test('is empty when the kernel gave no words', () => {
    const [reply] = request === undefined ? [] : parseMessages(ackReply(request, 1));
    expect(reply === undefined ? undefined : extendedAck(reply)).toEqual({});
  });
});
