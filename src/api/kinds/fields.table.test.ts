import { describe, expect, test } from 'vitest';
import { isPublicKind, type PublicKind, publicKinds } from '../registry.js';
import { type Outline, type OutlinedField, outlineOf } from '../schema-outline.js';
import { validate } from '../validate.js';

/** A value that a field does not take, and what is said. */
type Wrong = readonly [value: unknown, message: string];

const LONG = 'x'.repeat(1025);

/** By the words of a form: text that is not of it. */
const WRONG_TEXTS: Readonly<Record<string, readonly Wrong[]>> = {
  'an IP address': [['192.0.2.256', '"192.0.2.256" is not an IP address']],
  'an IPv4 address': [['2001:db8::1', '"2001:db8::1" is not an IPv4 address']],
  'an IPv6 address': [['192.0.2.1', '"192.0.2.1" is not an IPv6 address']],
  'a CIDR': [
    ['192.0.2.1', '"192.0.2.1" is not a CIDR: it has no prefix length'],
    ['192.0.2.0/33', '"192.0.2.0/33" is not a CIDR: the prefix is at most 32'],
  ],
  'an IPv4 CIDR': [['2001:db8::/32', '"2001:db8::/32" is not an IPv4 CIDR']],
  'an IPv6 CIDR': [['192.0.2.0/24', '"192.0.2.0/24" is not an IPv6 CIDR']],
  'a CIDR without bits past its prefix': [
    ['192.0.2.1/24', '"192.0.2.1/24" is not a network: it has bits set past its prefix'],
    ['192.0.2.1', '"192.0.2.1" is not a CIDR: it has no prefix length'],
  ],
  'a CIDR or an IP address': [['x', '"x" is neither a CIDR nor an IP address: "x" is not an IP address']],
  'a MAC address': [['ee:ee', '"ee:ee" is not a MAC address']],
  'a selector': [
    ['a =', 'invalid selector "a =": expected == at character 3'],
    ['global()', "global() may stand only in a rule's namespaceSelector"],
    [LONG, 'it has 1025 characters, at most 1024 fit'],
  ],
  'a selector, or global()': [['global() && has(a)', 'global() stands alone: it cannot be combined']],
  'a regular expression': [['(', '"(" is not a regular expression']],
  'the name of a network interface': [['a/b', '"a/b" is not the name of a network interface']],
  '* or the name of a network interface': [['a b', '"a b" is neither "*" nor the name of a network interface']],
  'a duration such as 90s or 1m30s': [['90', '"90" is not a duration such as 90s or 1m30s']],
  'an address, address:port or [address]:port': [
    ['2001:db8::1:', '"2001:db8::1:" is not an address, address:port or [address]:port'],
  ],
  'an AS number, 0 to 4294967295 or high.low': [
    [1.1, '1.1 is a fraction, not an AS number: write high.low in quotes, such as "1.10"'],
    ['1.65536', '"1.65536" is not an AS number: write 0 to 4294967295 or high.low'],
  ],
  '1 to 65535, first:last, or the name of a port': [
    [65536, '"65536" is not a port: write 1 to 65535, first:last, or a port\'s name'],
    ['2:1', '"2:1" is not a port range: it ends before it begins'],
  ],
  'one of TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite, or a number from 1 to 255': [
    ['tcp', '"tcp" is not a protocol: TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite, or a number'],
    [256, '256 is not a protocol number from 1 to 255'],
  ],
};

/** What is no value of the form at all. */
function wrongForm({ form, choices }: Outline): readonly Wrong[] {
  if (choices !== undefined) return [['nosuchword', `"nosuchword" is not one of ${choices.join(', ')}`]];
  switch (form) {
    case 'fields':
    case 'map':
      return [
        ['x', '"x" is not a set of fields'],
        [[], 'a list is not a set of fields'],
      ];
    case 'list':
      return [['x', '"x" is not a list']];
    case 'text':
      return [[7, '7 is not text']];
    case 'number':
      return [['x', '"x" is not a number']];
    case 'truth':
      return [['maybe', '"maybe" is not true or false']];
    case 'number or text':
    case 'anything':
      return [];
  }
}

/** A right entry of a list. */
function entryOf(item: Outline | undefined): unknown {
  if (item?.form === 'fields') return filled(item.fields ?? []);
  return item?.form === 'text' ? '192.0.2.0/24' : 80;
}

function wrongValues(outline: Outline): readonly Wrong[] {
  const { minimum, maximum, maxItems, words } = outline.facts;
  const wrong = [...wrongForm(outline)];
  if (outline.choices !== undefined) return wrong;
  if (minimum !== undefined && maximum !== undefined) {
    for (const value of [minimum - 1, maximum + 1]) {
      wrong.push([value, `${value} is not a whole number from ${minimum} to ${maximum}`]);
    }
  }
  const inAnyCase = /^one of (.*), in any case$/.exec(words ?? '')?.[1];
  if (inAnyCase !== undefined) wrong.push(['nosuchword', `"nosuchword" is not one of ${inAnyCase}`]);
  if (maxItems !== undefined) {
    wrong.push([
      Array.from({ length: maxItems + 1 }, () => entryOf(outline.item)),
      `it has ${maxItems + 1} entries, at most ${maxItems} fit`,
    ]);
  }
  return [...wrong, ...(WRONG_TEXTS[words ?? ''] ?? [])];
}

/** A place in a spec: puts a value there, with what the objects around it need. */
interface Place {
  readonly path: string;
  readonly outline: Outline;
  readonly put: (value: unknown) => unknown;
}

/** Stands where something must stand; right or not does not matter here, only where issues are. */
const FILLER: Readonly<Record<Outline['form'], unknown>> = {
  fields: {},
  list: [],
  map: {},
  text: 'x',
  number: 1,
  truth: true,
  'number or text': 1,
  anything: {},
};

function filled(fields: readonly OutlinedField[]): Record<string, unknown> {
  const required = fields.filter(({ isRequired }) => isRequired);
  return Object.fromEntries(required.map(({ name, outline }) => [name, outline.choices?.[0] ?? FILLER[outline.form]]));
}

function placesIn(place: Place): readonly Place[] {
  const { outline, path, put } = place;
  if (outline.form === 'list' && outline.item !== undefined) {
    return [place, ...placesIn({ path: `${path}[0]`, outline: outline.item, put: (value) => put([value]) })];
  }
  if (outline.form === 'map' && outline.item !== undefined) {
    return [place, ...placesIn({ path: `${path}.key`, outline: outline.item, put: (value) => put({ key: value }) })];
  }
  const fields = outline.fields ?? [];
  return [
    place,
    ...fields.flatMap(({ name, outline: below }) =>
      placesIn({ path: `${path}.${name}`, outline: below, put: (value) => put({ ...filled(fields), [name]: value }) }),
    ),
  ];
}

function issuesAt(kind: PublicKind, spec: unknown, path: string): readonly string[] {
  const { metadata } = publicKinds[kind].examples.valid;
  const issues = validate({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec });
  return issues.filter((issue) => issue.path === path).map(({ message }) => message);
}

describe.each(Object.keys(publicKinds).filter(isPublicKind))('fields of %s', (kind) => {
  const places = placesIn({ path: 'spec', outline: outlineOf(publicKinds[kind].spec), put: (value) => value });

  const wrong = places.flatMap(({ path, outline, put }) =>
    wrongValues(outline).map(([value, message]) => ({ path, message, spec: put(value) })),
  );
  test.each(wrong)('$path: $message', ({ path, message, spec }) => {
    expect(issuesAt(kind, spec, path)).toContain(message);
  });

  const objects = places.filter(({ outline }) => outline.form === 'fields');
  test.each(objects)('$path takes no field that it does not have', ({ path, outline, put }) => {
    const spec = put({ ...filled(outline.fields ?? []), noSuchField: 1 });
    expect(issuesAt(kind, spec, `${path}.noSuchField`)).toEqual([
      'field in document is not recognized or is in the wrong location: noSuchField',
    ]);
  });

  const needy = objects.flatMap(({ path, outline, put }) =>
    (outline.fields ?? [])
      .filter(({ isRequired }) => isRequired)
      .map(({ name }) => ({ path: `${path}.${name}`, name, outline, put })),
  );
  test('what must be there is missed', () => {
    for (const { path, name, outline, put } of needy) {
      const { [name]: _, ...rest } = filled(outline.fields ?? []);
      expect([path, issuesAt(kind, put(rest), path)]).toEqual([path, ['it is missing']]);
    }
    expect(places.length).toBeGreaterThan(1);
  });
});
