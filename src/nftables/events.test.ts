import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { Attributes, encodeAttributes } from '../netlink/attributes.js';
import type { Message } from '../netlink/message.js';
import { decodeNftEvent } from './events.js';
import { readRule } from './rule-codec.js';
import { readSet } from './set-codec.js';
import { readChain, readCounter, readTable } from './table-codec.js';
import { readComment, readUserValue } from './user-data.js';

function message(type: number, payload: Uint8Array): Message {
  return { type, flags: 0, sequence: 0, portId: 77, payload: Buffer.from(payload) };
}

describe('decodeNftEvent()', () => {
  test('tells who committed', () => {
    // NFT_MSG_NEWGEN: id, process, name.
    const attributes = encodeAttributes((into) => into.u32BE(1, 42).u32BE(2, 1234).string(3, 'iptables'));
    expect(decodeNftEvent(message(0xa0f, Buffer.concat([Buffer.from([0, 0, 0, 42]), attributes])))).toEqual({
      kind: 'commit',
      generation: 42,
      portId: 77,
      processId: 1234,
      processName: 'iptables',
    });
  });

  test('tells which table lost what', () => {
    // NFT_MSG_DELTABLE of inet, NFT_MSG_DELCHAIN of ip, NFT_MSG_DELRULE of ip6.
    const table = encodeAttributes((into) => into.string(1, 'calico'));
    expect(decodeNftEvent(message(0xa02, Buffer.concat([Buffer.from([1, 0, 0, 0]), table])))).toMatchObject({
      kind: 'deleted',
      object: 'table',
      table: { family: 'inet', name: 'calico' },
    });
    const chain = encodeAttributes((into) => into.string(1, 'filter').string(3, 'FORWARD'));
    expect(decodeNftEvent(message(0xa05, Buffer.concat([Buffer.from([2, 0, 0, 0]), chain])))).toMatchObject({
      object: 'chain',
      name: 'FORWARD',
    });
    const rule = encodeAttributes((into) => into.string(1, 'filter').string(2, 'INPUT'));
    expect(decodeNftEvent(message(0xa08, Buffer.concat([Buffer.from([10, 0, 0, 0]), rule])))).toMatchObject({
      object: 'rule',
      table: { family: 'ip6', name: 'filter' },
      name: 'INPUT',
    });
  });

  test('passes over what is not nf_tables', () => {
    expect(decodeNftEvent(message(0x100, Buffer.alloc(8)))).toBeUndefined();
    expect(decodeNftEvent(message(0xa02, Buffer.alloc(2)))).toBeUndefined();
  });
});

describe('parsers of kernel messages', () => {
  const survives = (parse: (bytes: Uint8Array) => unknown): void => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          expect(typeof parse(bytes)).not.toBe('function');
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
  };
  const readers = { readTable, readChain, readSet, readCounter };
  test.each(Object.keys(readers) as (keyof typeof readers)[])('%s survives random bytes', (name) => {
    survives((bytes) => readers[name]('inet', new Attributes(bytes)));
  });
  test('readRule survives random bytes', () => survives((bytes) => readRule(new Attributes(bytes))));
  test('decodeNftEvent survives random bytes', () => survives((bytes) => decodeNftEvent(message(0xa08, bytes))));
  test('user data survives random bytes', () =>
    survives((bytes) => [readComment(bytes), readUserValue(bytes, bytes[0] ?? 0)]));
});
