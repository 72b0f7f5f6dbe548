import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BGP, CONFIG, CONTAINER, ENDPOINT, NODE_BGP, PROFILE } from './families.js';
import { fitWords, type Forms, nextWords, parsePattern } from './form.js';

const FAMILIES: readonly { readonly name: string; readonly forms: Forms }[] = [
  CONTAINER,
  ENDPOINT,
  PROFILE,
  BGP,
  NODE_BGP,
  CONFIG,
];

const fit = (family: { readonly name: string; readonly forms: Forms }, text: string, flags: readonly string[] = []) =>
  fitWords(family.forms, { command: family.name, words: text.split(' ') }, new Set(flags));

describe('fitWords()', () => {
  test('names words, choices and the rest', () => {
    expect(fit(PROFILE, 'web rule add inbound allow tcp from tag x', ['--at'])).toEqual({
      form: 'rule add',
      words: { profile: 'web' },
      lists: { match: ['tcp', 'from', 'tag', 'x'] },
      choices: new Set(['inbound', 'allow']),
    });
    expect(fit(BGP, 'node-mesh')).toMatchObject({ form: 'node-mesh', choices: new Set() });
    expect(fit(CONFIG, 'node bgp loglevel')).toMatchObject({ form: 'node bgp', words: { name: 'loglevel' } });
  });

  test('options choose between forms of the same words', () => {
    expect(fit(PROFILE, 'web rule remove inbound', ['--at']).form).toBe('rule remove at');
    expect(fit(PROFILE, 'web rule remove inbound allow').form).toBe('rule remove');
    expect(() => fit(PROFILE, 'web rule remove inbound')).toThrow(/--at is missing/);
    expect(() => fit(PROFILE, 'web tag show', ['--at'])).toThrow(/--at does not go with these words/);
  });

  test('points at the first word that fits no form, and guesses', () => {
    expect(() => fit(CONTAINER, 'web ip ad 192.168.1.5')).toThrow(
      expect.objectContaining({
        message: [
          '"ad" does not fit here: write add or remove',
          '  calicoctl container web ip ad 192.168.1.5',
          '                             ^^',
        ].join('\n'),
        hint: 'did you mean "add"?',
      }),
    );
  });

  test('says what is missing and what is too much', () => {
    expect(() => fit(PROFILE, 'web tag add')).toThrow(/^a word is missing: write <tag>\n/);
    expect(() => fit(PROFILE, 'web tag show now')).toThrow(/^"now" does not fit here: write nothing more\n/);
    expect(() => fit(BGP, 'node-mesh maybe')).toThrow(/^"maybe" does not fit here: write on or off\n/);
  });

  test('control characters of what was typed reach no terminal', () => {
    let message = '';
    try {
      fit(PROFILE, 'web tag \u001b[31m');
    } catch (error) {
      message = String(error);
    }
    expect([message.includes('does not fit here'), message.includes('\u001b')]).toEqual([true, false]);
  });

  test.each(FAMILIES)('every form of $name is found by words that fit it', ({ name, forms }) => {
    for (const [form, { pattern }] of Object.entries(forms)) {
      const { parts, options } = parsePattern(pattern);
      const words = parts.flatMap((part) => {
        if (part.type === 'literal') return [part.text];
        if (part.type === 'choice') return part.isOptional ? [] : part.words.slice(0, 1);
        return part.isOptional ? [] : ['x'];
      });
      const required = [...options].filter(([, { isRequired }]) => isRequired).map(([flag]) => flag);
      expect(fitWords(forms, { command: name, words }, new Set(required)).form).toBe(form);
    }
  });

  test('any words give a form or an explained error', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('show', 'add', 'tag', 'rule', 'inbound', 'allow', 'peer', 'as'));
    fc.assert(
      fc.property(fc.constantFrom(...FAMILIES), fc.array(word, { maxLength: 8 }), ({ name, forms }, words) => {
        let outcome: unknown;
        try {
          outcome = fitWords(forms, { command: name, words }, new Set());
        } catch (error) {
          outcome = error;
        }
        expect(outcome).toMatchObject(outcome instanceof Error ? { code: 'ERR_CALI_CLI_USAGE' } : { words: {} });
      }),
    );
  });
});

describe('nextWords()', () => {
  test.each([
    ['', ['show', 'add', 'remove', '<profile>']],
    ['web', ['tag', 'rule']],
    ['web rule', ['add', 'remove', 'show', 'json', 'update']],
    ['web rule add', ['inbound', 'outbound']],
    ['web rule add inbound allow', ['<match>']],
    ['web tag show', []],
    ['web nonsense', []],
  ])('after "%s"', (text, expected) => {
    const typed = text.split(' ').filter((word) => word !== '');
    const patterns = Object.values(PROFILE.forms).map(({ pattern }) => pattern);
    expect(nextWords(patterns, typed)).toEqual(expected);
  });

  test('goes on with what may be left out, and with a list', () => {
    expect(nextWords(['node-mesh [on|off]'], ['node-mesh'])).toEqual(['on', 'off']);
    expect(nextWords(['<container> profile set [<profiles>...]'], ['web', 'profile', 'set', 'a'])).toEqual([
      '<profiles>',
    ]);
  });
});
