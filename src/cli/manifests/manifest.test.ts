import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { formatYaml } from '../yaml-text.js';
import { parseManifest, parseValue, readManifest } from './manifest.js';

const policy = (i: number) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name: `p${i}`, namespace: 'a', annotations: { note: 'a: "b" [\n---x\n- y' } },
  spec: { order: i, ingress: [{ action: 'Allow', destination: { ports: [80, '90:91'] } }] },
});

/** Enough for a list to be read item by item. */
const MANY = Array.from({ length: 700 }, (_, i) => policy(i));
const LIST = { apiVersion: 'projectcalico.org/v3', kind: 'NetworkPolicyList', items: MANY, metadata: {} };

function read(text: string): readonly string[] {
  return [...readManifest('f', text)].map((reading) =>
    reading instanceof CalicoError ? reading.message : JSON.stringify(reading.object),
  );
}

/** Where the parser of the whole says that a field of the last policy stands. */
function placeOfLast(text: string, path: string): string {
  const [, ...entries] = parseManifest('f', text);
  const issue = { code: 'value', path, message: '' };
  return entries.at(-1)?.locate(issue) ?? '';
}

function lineAndColumn(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  return `f:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

describe('a list without items', () => {
  test.each(['kind: TierList', 'kind: TierList\nitems:', 'kind: TierList\nitems: []'])('%j holds nothing', (text) => {
    expect([...readManifest('a.yaml', `apiVersion: projectcalico.org/v3\n${text}\n`)]).toEqual([]);
  });
});

describe('merge keys', () => {
  test('bring in the fields of what they name, which may be overridden', () => {
    const text = 'a: &a {kind: Tier, spec: {order: 1}}\nb:\n  <<: *a\n  spec: {order: 2}\n';
    expect(parseValue('a.yaml', text)).toEqual({
      a: { kind: 'Tier', spec: { order: 1 } },
      b: { kind: 'Tier', spec: { order: 2 } },
    });
  });
});

describe('readManifest()', () => {
  test.each([
    ['a list as get prints it', formatYaml(LIST)],
    ['a list after another document', `a: 1\n--- # more\n${formatYaml(LIST)}`],
    ['an array', formatYaml(MANY)],
    ['a list as JSON', JSON.stringify(LIST, undefined, 2)],
    ['a list as JSON in one line', JSON.stringify(LIST)],
    ['an array as JSON', JSON.stringify(MANY, undefined, 1)],
    ['documents', MANY.map((each) => formatYaml(each)).join('---\n')],
  ])('reads %s and knows each place', (_, text) => {
    const objects = parseManifest('f', text)
      .map(({ object }) => object)
      .slice(text.startsWith('a: 1') ? 1 : 0);
    expect(objects).toEqual(MANY);
    const at = text.lastIndexOf('90:91') - 1;
    expect(placeOfLast(text, 'spec.ingress[0].destination.ports[1]')).toBe(lineAndColumn(text, at));
  });

  test('reads on after what is no YAML, and says where each mistake is', () => {
    expect(read('a: 1\na: 2\n---\nb: [\n---\nc: 3\n---\nd: {e: 1, e: 2, e: 3}\n')).toEqual([
      'f:2:1: it is not YAML: Map keys must be unique: "a" stands here again',
      expect.stringMatching(/^f:5:1: it is not YAML: /),
      '{"c":3}',
      'f:8:11: it is not YAML: Map keys must be unique: "e" stands here again',
      'f:8:17: it is not YAML: Map keys must be unique: "e" stands here again',
    ]);
  });

  test('a mistake within a long list is that of its item', () => {
    const text = formatYaml(LIST).replace('name: p500\n', 'name: p500\n    name: again\n');
    const errors = read(text).filter((said) => said.startsWith('f:'));
    const at = text.indexOf('name: again');
    expect(errors).toEqual([
      `${lineAndColumn(text, at)}: it is not YAML: Map keys must be unique: "name" stands here again`,
    ]);
    expect(read(text)).toHaveLength(MANY.length);
  });

  test('a long list of a kind that is none stays one thing', () => {
    const text = formatYaml({ ...LIST, kind: 'Something' });
    expect(read(text)).toHaveLength(1);
  });

  test.each([
    ['nothing', '', []],
    ['blanks and comments', '\n# a\n---\n# b\n\n---\n...\n', []],
    ['documents without marks between', 'a: 1\n...\nb: 2\n', ['{"a":1}', '{"b":2}']],
    ['carriage returns', 'a: 1\r\n---\r\nb: 2\r\n', ['{"a":1}', '{"b":2}']],
    ['a directive', '%YAML 1.2\n---\na: 1\n', ['{"a":1}']],
    ['a mark with its document', '--- {a: 1}\n--- |\n  text\n', ['{"a":1}', '"text\\n"']],
    ['a mark within text', 'a: |\n  ---\n  b\n', ['{"a":"---\\nb\\n"}']],
    ['anchors', 'a: &x {b: 1}\nc: *x\n', ['{"a":{"b":1},"c":{"b":1}}']],
    ['dashes that are none', '---a: 1\n', ['{"---a":1}']],
  ])('reads %s', (_, text, objects) => {
    expect(read(text)).toEqual(objects);
  });

  test.each([
    ['a: \u0000', 'f:1:4: it is not YAML: the character \\x00 cannot stand in it'],
    ['x\n\n  \u001b[31m', 'f:3:3: it is not YAML: the character \\x1b cannot stand in it'],
    ['- '.repeat(200), 'f:1:1: it is not YAML: it is nested too deep'],
    ['{"a":'.repeat(200), 'f:1:501: it is not YAML: it is nested too deep'],
    ['x'.repeat(3_000_000), 'f:1:1: the document is too large: 3000000 characters'],
    ['1: a\n"1": b', 'f:2:1: it is not YAML: Map keys must be unique: "1" stands here again'],
  ])('refuses %.30j', (text, message) => {
    expect(read(text)).toEqual([message]);
  });
});

describe('parseValue()', () => {
  test('reads one value', () => {
    expect(parseValue('patch', '[{"op": "add"}]')).toEqual([{ op: 'add' }]);
    expect(parseValue('patch', '')).toBeUndefined();
    expect(() => parseValue('patch', 'a: 1\n---\nb: 2')).toThrow(
      'patch:1:1: it is not YAML: it is more than one document',
    );
    expect(() => parseValue('patch', '{a: 1, a: 2}')).toThrow('patch:1:8: it is not YAML: Map keys must be unique');
  });
});
