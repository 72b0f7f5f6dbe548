import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { encodeAttributes, parseAttributeList } from '../../netlink/attributes.js';
import { decodeExpression, encodeExpression, printExpressions } from './codec.js';
import type { Expression } from './expression.js';

const context = { setId: () => 1, setName: () => '__set%d' };
const register = fc.constantFrom(1, 2, 3, 4, 9, 10, 11, 13, 14, 15);
const bytes = (max: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: 1, maxLength: max }).map((value) => Buffer.from(value));
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const natFlags = fc.subarray(['map-ips', 'proto-specified', 'random', 'persistent', 'fully-random'] as const);

/** Every type of expression, with every option that is modelled. */
const expressions: Readonly<Record<Expression['type'], fc.Arbitrary<Expression>>> = {
  payload: fc.record({
    type: fc.constant('payload'),
    base: fc.constantFrom('link', 'network', 'transport', 'inner'),
    offset: fc.nat(100),
    length: fc.integer({ min: 1, max: 16 }),
    dreg: register,
  }),
  meta: fc.record({ type: fc.constant('meta'), key: fc.constantFrom('mark', 'iifname', 'l4proto'), dreg: register }),
  'meta-set': fc.record({ type: fc.constant('meta-set'), key: fc.constantFrom('mark', 'nftrace'), sreg: register }),
  cmp: fc.record({
    type: fc.constant('cmp'),
    op: fc.constantFrom('eq', 'neq', 'lt', 'lte', 'gt', 'gte'),
    sreg: register,
    data: bytes(16),
  }),
  bitwise: bytes(16).chain((mask) =>
    fc.record({
      type: fc.constant('bitwise'),
      sreg: register,
      dreg: register,
      mask: fc.constant(mask),
      xor: fc.uint8Array({ minLength: mask.length, maxLength: mask.length }).map((value) => Buffer.from(value)),
    }),
  ),
  range: fc.record({
    type: fc.constant('range'),
    op: fc.constantFrom('eq', 'neq'),
    sreg: register,
    from: bytes(16),
    to: bytes(16),
  }),
  lookup: fc.oneof(
    fc.record({ type: fc.constant('lookup'), set: name, sreg: register, inverted: fc.boolean() }),
    fc.record({
      type: fc.constant('lookup'),
      set: name,
      sreg: register,
      dreg: fc.constantFrom(0, 1),
      inverted: fc.constant(false),
    }),
  ),
  immediate: fc.record({ type: fc.constant('immediate'), dreg: register, data: bytes(16) }),
  verdict: fc.record({
    type: fc.constant('verdict'),
    verdict: fc.oneof(
      fc.record({ code: fc.constantFrom('accept', 'drop', 'continue', 'return', 'break') }),
      fc.record({ code: fc.constantFrom('jump', 'goto'), chain: name }),
    ),
  }),
  ct: fc.oneof(
    fc.record({ type: fc.constant('ct'), key: fc.constantFrom('state', 'mark', 'status'), dreg: register }),
    fc.record({
      type: fc.constant('ct'),
      key: fc.constantFrom('saddr', 'daddr'),
      dreg: register,
      direction: fc.constantFrom('original', 'reply'),
    }),
  ),
  'ct-set': fc.record({ type: fc.constant('ct-set'), key: fc.constantFrom('mark', 'zone'), sreg: register }),
  fib: fc.record({
    type: fc.constant('fib'),
    selectors: fc.subarray(['saddr', 'daddr', 'mark', 'iif', 'oif'] as const),
    result: fc.constantFrom('oif', 'oifname', 'type'),
    present: fc.boolean(),
    dreg: register,
  }),
  counter: fc.record({ type: fc.constant('counter'), packets: u64, bytes: u64 }),
  objref: fc.record({ type: fc.constant('objref'), object: fc.constant('counter'), name }),
  log: fc.oneof(
    fc.record({ type: fc.constant('log'), prefix: name, level: fc.constantFrom('emerg', 'info', 'debug') }),
    fc.record({
      type: fc.constant('log'),
      prefix: name,
      group: fc.nat(65535),
      snaplen: fc.integer({ min: 1, max: 65535 }),
      queueThreshold: fc.integer({ min: 1, max: 65535 }),
    }),
  ),
  reject: fc.record({
    type: fc.constant('reject'),
    with: fc.constantFrom('icmp', 'tcp-reset', 'icmpx'),
    code: fc.nat(255),
  }),
  masq: fc.oneof(
    fc.record({ type: fc.constant('masq'), flags: natFlags }),
    fc.record({ type: fc.constant('masq'), flags: natFlags, portMin: register, portMax: register }),
  ),
  nat: fc.oneof(
    fc.record({
      type: fc.constant('nat'),
      what: fc.constantFrom('snat', 'dnat'),
      family: fc.constantFrom(4, 6),
      addressMin: register,
      flags: natFlags,
    }),
    fc.record({
      type: fc.constant('nat'),
      what: fc.constantFrom('snat', 'dnat'),
      family: fc.constantFrom(4, 6),
      addressMin: fc.constant(1),
      addressMax: fc.constant(2),
      portMin: fc.constant(3),
      portMax: fc.constant(4),
      flags: natFlags,
    }),
  ),
  limit: fc.record({
    type: fc.constant('limit'),
    rate: u64,
    unitSeconds: u64,
    burst: u32,
    of: fc.constantFrom('packets', 'bytes'),
    inverted: fc.boolean(),
  }),
  notrack: fc.record({ type: fc.constant('notrack') }),
  unknown: fc.record({
    type: fc.constant('unknown'),
    name: fc.constantFrom('quota', 'numgen', 'xt', 'payload'),
    // One attribute of a number nobody models, holding four bytes.
    raw: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => Buffer.from([8, 0, 0x55, 0, ...value])),
  }),
};

function encoded(expression: Expression): Buffer {
  return encodeAttributes((into) => encodeExpression(expression, into, context));
}

function decoded(buffer: Buffer): Expression | undefined {
  const [element] = parseAttributeList(buffer);
  return element === undefined ? undefined : decodeExpression(element);
}

describe('decodeExpression()', () => {
  test.each(Object.entries(expressions))('reads back what was encoded: %s', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (expression) => {
        expect(decoded(encoded(expression))).toEqual(expression);
      }),
    );
  });

  test('keeps an expression with an attribute it does not model whole', () => {
    fc.assert(
      fc.property(expressions.unknown, (expression) => {
        const buffer = encoded(expression);
        const again = decoded(buffer);
        expect(again?.type).toBe('unknown');
        expect(again === undefined ? undefined : encoded(again)).toEqual(buffer);
      }),
    );
  });

  test('loses no byte of any list of attributes under any name', () => {
    const names = fc.constantFrom('payload', 'meta', 'cmp', 'lookup', 'fib', 'log', 'nat', 'masq', 'queue');
    const attribute = fc.tuple(fc.nat(8), fc.uint8Array({ maxLength: 8 }));
    fc.assert(
      fc.property(
        names,
        fc.uniqueArray(attribute, { maxLength: 5, selector: ([type]) => type }),
        (kernelName, list) => {
          const raw = encodeAttributes((into) => {
            for (const [type, value] of list) into.blob(type, value);
          });
          const buffer = encoded({ type: 'unknown', name: kernelName, raw });
          let expression: Expression | undefined;
          try {
            expression = decoded(buffer);
          } catch (error) {
            // A number of the wrong length or a nested attribute that is none: said, not guessed.
            expect(error).toBeInstanceOf(CalicoError);
            return;
          }
          if (expression?.type === 'unknown') expect(expression.raw).toEqual(raw);
          else expect(expression).toBeDefined();
        },
      ),
    );
  });

  test('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        try {
          const list = parseAttributeList(random).map(decodeExpression);
          expect(Array.isArray(list)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
  });
});

describe('printExpressions()', () => {
  test('prints any expressions in any order without failing', () => {
    const any = fc.array(fc.oneof(...Object.values(expressions)), { maxLength: 6 });
    fc.assert(
      fc.property(any, fc.constantFrom('inet', 'ip', 'ip6', 'arp'), (list, family) => {
        expect(typeof printExpressions(family, list)).toBe('string');
      }),
    );
  });

  test('leaves out a check that a field implies, keeps it where an action stands between', () => {
    const l4proto: Expression[] = [
      { type: 'meta', key: 'l4proto', dreg: 1 },
      { type: 'cmp', op: 'eq', sreg: 1, data: Uint8Array.of(6) },
    ];
    const port: Expression[] = [
      { type: 'payload', base: 'transport', offset: 2, length: 2, dreg: 1 },
      { type: 'cmp', op: 'eq', sreg: 1, data: Uint8Array.of(0, 80) },
    ];
    const count: Expression = { type: 'counter', packets: 0n, bytes: 0n };
    expect(printExpressions('inet', [...l4proto, ...port])).toBe('tcp dport 80');
    expect(printExpressions('inet', [...l4proto, count, ...port])).toBe('meta l4proto tcp counter tcp dport 80');
  });

  test('reads two comparisons as the range nft means by them', () => {
    expect(
      printExpressions('ip', [
        { type: 'payload', base: 'network', offset: 12, length: 4, dreg: 1 },
        { type: 'cmp', op: 'gte', sreg: 1, data: Uint8Array.of(192, 0, 2, 1) },
        { type: 'cmp', op: 'lte', sreg: 1, data: Uint8Array.of(192, 0, 2, 9) },
      ]),
    ).toBe('ip saddr 192.0.2.1-192.0.2.9');
  });
});
