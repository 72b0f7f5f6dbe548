import { describe, expect, test } from 'vitest';
import { parsePrefix } from '../../net/prefix.js';
import { encodeAttributes } from '../attributes.js';
import { encodeSourceRule } from './rule.js';

function hex(source: string, table: number): string {
  const rule = { source: parsePrefix(source), table, priority: 100 };
  return Buffer.from(encodeAttributes((writer) => encodeSourceRule(writer, rule))).toString('hex');
}

describe('encodeSourceRule()', () => {
  test('is what ip rule writes', () => {
    // ip rule add from 192.0.2.7 lookup 200 priority 100
    expect(hex('192.0.2.7/32', 200)).toBe(
      '02002000c800000100000000' + '08000200c0000207' + '0800060064000000' + '08000f00c8000000',
    );
    // ip -6 rule add from 2001:db8::7 lookup 1000 priority 100
    expect(hex('2001:db8::7/128', 1_000)).toBe(
      '0a0080000000000100000000' + '1400020020010db8000000000000000000000007' + '0800060064000000' + '08000f00e8030000',
    );
  });
});
