import fc from 'fast-check';
import type { Outline } from './schema-outline.js';

/** A made-up value for a field: mostly one that its check takes. */
type Arbitrary = fc.Arbitrary<unknown>;

const ipv4 = fc.constantFrom('192.0.2.1', '198.51.100.7', '10.0.0.1', '255.255.255.255');
const ipv6 = fc.constantFrom('2001:db8::1', '::', 'fd80:24e2:f998:72d6::9');
const cidr4 = fc.constantFrom('192.0.2.0/24', '10.0.0.0/8', '198.51.100.7/32', '0.0.0.0/0');
const cidr6 = fc.constantFrom('2001:db8::/32', '2001:db8::1/128', 'fd80::/16');
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const selector = fc.constantFrom('', 'all()', "a == 'b'", 'has(x) && y in {"1", "2"}', "!(k contains 'é')");
const label = fc.constantFrom('a', 'x/y', 'app', 'example.com/role');

/** By the words that the schema has for the form. */
const TEXTS: Readonly<Record<string, Arbitrary>> = {
  'an IP address': fc.oneof(ipv4, ipv6),
  'an IPv4 address': ipv4,
  'an IPv6 address': ipv6,
  'a CIDR': fc.oneof(cidr4, cidr6),
  'an IPv4 CIDR': cidr4,
  'an IPv6 CIDR': cidr6,
  'a CIDR without bits past its prefix': fc.oneof(cidr4, cidr6),
  'a CIDR or an IP address': fc.oneof(ipv4, cidr4, ipv6, cidr6),
  'a list of CIDRs': cidr4,
  'a MAC address': fc.constantFrom('ee:ee:ee:ee:ee:ee', '02-00-00-00-00-01'),
  'a selector': selector,
  'a selector, or global()': fc.oneof(selector, fc.constant('global()')),
  'a regular expression': fc.constantFrom('^eth.*', 'a|b'),
  'a duration': fc.constantFrom('90s', '1m30s'),
  'a duration or Auto': fc.constantFrom('90s', 'Auto'),
  'a duration such as 90s or 1m30s': fc.constantFrom('90s', '500ms', '1h0m5s', '0'),
  'a community, aa:nn or aa:nn:mm': fc.constantFrom('65000:1', '65000:1:2'),
  'an address, address:port or [address]:port': fc.constantFrom('192.0.2.1', '192.0.2.1:179', '[2001:db8::1]:1790'),
  'a port range such as 32768:65535': fc.constantFrom('1:2', '30000:32767'),
  'a list of port ranges such as 30000:32767': fc.constantFrom('30000:32767', 80),
  'a range of routing tables such as 1-250': fc.constant('1-250'),
  'a list of ports such as tcp:22,udp:68': fc.constant('tcp:22'),
  'a list such as name=90s': fc.constant('a=90s'),
  'a mark mask such as 0xffff0000': fc.constantFrom(0xff00, 0xffff0000),
  'a code point from 0 to 63, or its name such as EF': fc.constantFrom(0, 46, 'EF'),
  'a tag': fc.constantFrom('web', 'a.b-c_D'),
  'an AS number, 0 to 4294967295 or high.low': fc.constantFrom(64512, '1.10', '65000', 4294967295),
  '1 to 65535, first:last, or the name of a port': fc.constantFrom(80, '443', '1:2', 'http'),
};

const TEXTS_BY_PATH: readonly (readonly [RegExp, Arbitrary])[] = [
  [/communities\[\]\.value$/, fc.constantFrom('65000:1', '65000:1:2')],
  [/dscp/i, fc.constantFrom(0, 46, 'EF')],
  [/(tier|node|namespace|[nN]ame|endpoint|pod|workload|containerID)$/, name],
  [/orchestrator$/, fc.constantFrom('k8s', 'cni', 'libnetwork', 'openstack')],
  [/\.(exact|prefix)$/, fc.constantFrom('/', '/a/b')],
  [/protocol|Protocol/, fc.constantFrom('TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 6, 17, '58')],
  [/ports?(\[\])?$/i, fc.constantFrom(80, '8080', '1:2', 'http')],
  [/(IP|Addr|address)$/, ipv4],
  [/action$/, fc.constantFrom('allow', 'DENY', 'next-tier')],
  [/types\[\]$/, fc.constantFrom('ingress', 'egress')],
];

function textFor({ facts, form }: Outline, path: string): Arbitrary {
  const { words, pattern } = facts;
  const known = words === undefined ? undefined : TEXTS[words];
  if (known !== undefined) return known;
  const choices = words === undefined ? null : /^one of ([^,]+(?:, [^,]+)*?)(?:, in any case|, or .*)?$/.exec(words);
  if (choices?.[1] !== undefined) return fc.constantFrom(...choices[1].split(', '));
  if (pattern !== undefined && !pattern.startsWith('(?i)')) return fc.stringMatching(new RegExp(pattern));
  const byPath = TEXTS_BY_PATH.find(([match]) => match.test(path));
  if (byPath !== undefined) return byPath[1];
  return form === 'text' ? fc.oneof(name, fc.string({ maxLength: 8 })) : fc.constantFrom(80, 'http');
}

function numberFor({ minimum, maximum }: Outline['facts']): Arbitrary {
  if (minimum === undefined || maximum === undefined) return fc.constantFrom(0, 10, 1.5, -1, 1e6);
  return fc.oneof(
    fc.constantFrom(minimum, maximum),
    fc.integer({ min: minimum, max: Math.min(maximum, minimum + 70) }),
  );
}

function fieldsFor({ fields = [] }: Outline, path: string, presence: number): Arbitrary {
  const entries = fields.map(({ name: field, isRequired, outline }) => {
    const below = arbitraryOf(outline, `${path}.${field}`, presence);
    const maybe = isRequired ? below : fc.option(below, { nil: undefined, freq: presence + 1 });
    return [field, maybe] as const;
  });
  return fc
    .record(Object.fromEntries(entries))
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)));
}

/**
 * A made-up value of a schema, by its outline: the right form everywhere, most texts as their checks demand, with no regard to rules
 * between fields.
 *
 * @param presence of `n + 1` optional fields, about n are there
 */
export function arbitraryOf(outline: Outline, path = '', presence = 1): Arbitrary {
  const { form, choices, item, facts } = outline;
  if (choices !== undefined) return fc.constantFrom(...choices);
  switch (form) {
    case 'fields':
      return fieldsFor(outline, path, presence);
    case 'list':
      return item === undefined
        ? fc.constant([])
        : fc.array(arbitraryOf(item, `${path}[]`, presence), { maxLength: 2 });
    case 'map':
      return item === undefined
        ? fc.constant({})
        : fc.dictionary(label, arbitraryOf(item, `${path}.*`, presence), { maxKeys: 2 });
    case 'truth':
      return fc.boolean();
    case 'number':
      return numberFor(facts);
    case 'text':
    case 'number or text':
      return textFor(outline, path);
    case 'anything':
      return fc.jsonValue({ maxDepth: 1 });
  }
}
