import { describe, expect, test } from 'vitest';
import { encodeAttributes } from './attributes.js';
import { formatMessage } from './debug.js';
import type { Message } from './message.js';
import { ackReply, messageBytes } from './transport.fake.js';
import { parseMessages } from './message.js';

function message(type: number, flags: number, payload: Uint8Array): Message {
  return { type, flags, sequence: 3, portId: 0, payload: Buffer.from(payload) };
}

describe('formatMessage()', () => {
  test('names type and flags, prints the fixed header and the attributes as a tree', () => {
    const payload = encodeAttributes((w) => {
      w.header(16);
      w.string(3, 'cali0').nest(18, (info) => info.string(1, 'veth').u32(2, 1));
    });
    expect(formatMessage('>', 0, message(16, 0x605, payload))).toBe(
      '> RTM_NEWLINK #3 REQUEST|ACK|0x600 00000000000000000000000000000000 {3="cali0" 18={1="veth" 2=01000000}}',
    );
    expect(formatMessage('>', 12, message(0xa06, 0x301, Buffer.alloc(4)))).toBe(
      '> NFT_MSG_NEWRULE #3 REQUEST|DUMP 00000000 {}',
    );
    expect(formatMessage('<', 12, message(0x101, 2, Buffer.alloc(4)))).toBe('< IPCTNL_MSG_CT_GET #3 MULTI 00000000 {}');
  });

  test('says what the kernel said', () => {
    const [refusal] = parseMessages(
      ackReply(message(24, 1, Buffer.alloc(0)), 22, { text: 'Invalid scope', offset: 24 }),
    );
    expect(refusal === undefined ? '' : formatMessage('<', 0, refusal)).toBe(
      '< NLMSG_ERROR #3 EINVAL "Invalid scope" at byte 24',
    );
  });

  test('does not fail on what cannot be read', () => {
    const [odd] = parseMessages(messageBytes({ type: 24 }, Buffer.alloc(15, 1)));
    expect(odd === undefined ? '' : formatMessage('<', 0, odd)).toContain('(malformed netlink data: 3 bytes');
  });
});
