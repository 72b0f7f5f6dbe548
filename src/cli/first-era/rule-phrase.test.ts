import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Rule } from '../../api/rule.js';
import { parseResource } from '../../api/validate.js';
import { formatRulePhrase, parseRulePhrase } from './rule-phrase.js';

const parse = (phrase: string): Rule => {
  const words = phrase.split(' ').filter((word) => word !== '');
  return parseRulePhrase({ command: 'profile', words: ['web', 'rule', 'add', 'inbound', ...words] }, 4);
};

const number = (last: number) => fc.integer({ min: 0, max: last });
const port = fc.integer({ min: 1, max: 65535 });
const ports = fc
  .array(
    fc.oneof(
      port.map(String),
      fc.tuple(port, port).map(([a, b]) => (a === b ? `${a}` : `${Math.min(a, b)}:${Math.max(a, b)}`)),
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map((list) => `ports ${list.join(',')}`);
const tag = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?$/).map((text) => `tag ${text}`);
const cidr = fc
  .tuple(number(255), fc.integer({ min: 8, max: 24 }))
  .map(([octet, length]) => `cidr ${octet}.0.0.0/${length}`);
const maybe = (part: fc.Arbitrary<string>) => fc.oneof(part, fc.constant(''));
const joined = (...parts: readonly fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((words) => words.filter((word) => word !== '').join(' '));
const entity = (word: string, takesPorts: boolean) =>
  joined(takesPorts ? maybe(ports) : fc.constant(''), maybe(tag), maybe(cidr)).map((text) =>
    text === '' ? '' : `${word} ${text}`,
  );
const icmp = joined(
  fc.constant('icmp'),
  maybe(
    joined(
      number(254).map((type) => `type ${type}`),
      maybe(number(255).map((code) => `code ${code}`)),
    ),
  ),
);
const action = fc.constantFrom('allow', 'deny');
const phrase = fc.oneof(
  joined(action, fc.constantFrom('tcp', 'udp'), entity('from', true), entity('to', true)),
  joined(action, maybe(icmp), entity('from', false), entity('to', false)),
);

describe('parseRulePhrase()', () => {
  test('print ∘ parse = identity on phrases, and the rule is one that a Profile takes', () => {
    fc.assert(
      fc.property(phrase, (text) => {
        const rule = parse(text);
        expect(formatRulePhrase(rule)).toBe(text);
        const { spec } = parseResource({
          apiVersion: 'projectcalico.org/v3',
          kind: 'Profile',
          metadata: { name: 'web' },
          spec: { ingress: [rule] },
        });
        expect('ingress' in spec && spec.ingress).toEqual([rule]);
      }),
    );
  });

  test('parse ∘ print = identity on rules', () => {
    fc.assert(
      fc.property(phrase, (text) => {
        const rule = parse(text);
        expect(parse(formatRulePhrase(rule) ?? '')).toEqual(rule);
      }),
    );
  });

  test('takes an address for a CIDR and masks what stands behind the prefix', () => {
    expect(parse('allow from cidr 192.0.2.7 to cidr 198.51.100.9/24')).toEqual({
      action: 'Allow',
      source: { nets: ['192.0.2.7/32'] },
      destination: { nets: ['198.51.100.0/24'] },
    });
  });

  test('IPv6 too', () => {
    const text = 'deny icmpv6 type 128 code 0 from tag web cidr 2001:db8::/32 to cidr ::/0';
    expect(formatRulePhrase(parse(text))).toBe(text);
  });

  test('points at the word that does not fit', () => {
    expect(() => parse('allow tcp form tag web')).toThrow(
      [
        '"form" does not fit here: write from, to',
        '  calicoctl profile web rule add inbound allow tcp form tag web',
        '                                                   ^^^^',
      ].join('\n'),
    );
  });

  test.each([
    ['allow from ports 80', 'ports go with tcp and udp only'],
    ['allow tcp from', 'a word is missing: write ports, tag or cidr'],
    ['allow tcp from ports 90:80', '"90:80" does not fit here: write ports, such as 80 or 1,2:3'],
    ['allow tcp from ports http', '"http" does not fit here: write ports, such as 80 or 1,2:3'],
    ['allow from tag -x', '"-x" does not fit here: write a tag'],
    ['allow from cidr 10.0.0.0/33', '"10.0.0.0/33" does not fit here: write a CIDR'],
    ['allow icmp type 255', '"255" does not fit here: write a number from 0 to 254'],
    ['allow icmp type 8 code 256', '"256" does not fit here: write a number from 0 to 255'],
    ['allow from tag a tag b', '"tag" does not fit here: write to'],
    ['allow to tag a from tag b', '"from" does not fit here: write nothing more'],
    ['allow sctp', '"sctp" does not fit here: write tcp, udp, icmp, icmpv6, from, to'],
    ['permit', '"permit" does not fit here: write allow or deny'],
  ])('%s: %s', (text, message) => {
    expect(() => parse(text)).toThrow(`${message}\n`);
  });

  test('never throws anything but an explained error', () => {
    const words = fc.array(
      fc.oneof(
        fc.constantFrom(
          'allow',
          'deny',
          'tcp',
          'icmp',
          'type',
          'from',
          'to',
          'tag',
          'ports',
          'cidr',
          '80',
          '10.0.0.0/8',
        ),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(words, (list) => {
        try {
          parseRulePhrase({ command: 'profile', words: list }, 0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CALI_CLI_USAGE' });
        }
        expect(list).toBeDefined();
      }),
    );
  });
});

describe('formatRulePhrase()', () => {
  test.each<Rule>([
    { action: 'Log' },
    { action: 'Allow', protocol: 'SCTP' },
    { action: 'Allow', ipVersion: 4 },
    { action: 'Allow', source: { selector: 'has(web)' } },
    { action: 'Allow', source: { nets: ['10.0.0.0/8', '192.168.0.0/16'] } },
    { action: 'Allow', source: { notNets: ['10.0.0.0/8'] } },
    { action: 'Allow', protocol: 'TCP', destination: { ports: ['http'] } },
    { action: 'Allow', destination: { ports: [80] } },
  ])('does not pretend that the old words can say %j', (rule) => {
    expect(formatRulePhrase(rule)).toBeUndefined();
  });
});
