import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatYaml } from './yaml-text.js';

describe('formatYaml()', () => {
  test('writes lists at the level of their key and quotes only where it must', () => {
    const value = {
      cidr: '10.0.0.0/8',
      ports: [80, '80', 'http'],
      rules: [{ action: 'Allow', nets: [] }, {}],
      selector: "app == 'web'",
      time: '2026-01-02T03:04:05Z',
      words: ['yes', '!has(a)', '1e3', '', 'a: b', 'a #b', 'a:b'],
    };
    expect(formatYaml(value)).toBe(
      [
        'cidr: 10.0.0.0/8',
        'ports:',
        '- 80',
        '- "80"',
        '- http',
        'rules:',
        '- action: Allow',
        '  nets: []',
        '- {}',
        "selector: app == 'web'",
        'time: "2026-01-02T03:04:05Z"',
        'words:',
        '- "yes"',
        '- "!has(a)"',
        '- "1e3"',
        '- ""',
        '- "a: b"',
        '- "a #b"',
        '- a:b',
        '',
      ].join('\n'),
    );
  });

  test('is read back as the same value, by readers of YAML 1.2 and 1.1', () => {
    const json = fc.jsonValue({ stringUnit: 'binary' }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(json, (value) => {
        const wanted: unknown = JSON.parse(JSON.stringify(value));
        expect(parse(formatYaml(value))).toEqual(wanted);
        expect(parse(formatYaml(value), { version: '1.1' })).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });
});
