import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { CODE, TYPE } from './dns-message.js';
import { NameDirectory, type NamedEndpoint } from './name-directory.js';
import { type Resolution, Resolver } from './resolver.js';

const NET1 = new Set(['net1']);
let directory: NameDirectory;
let resolver: Resolver;

function put(key: string, place: string, names: string[], addresses: string[]): void {
  const [node = '', network = ''] = place.split(' ');
  directory.set(key, { node, network, names, addresses });
}
function ask(name: string, type: number = TYPE.A, networks: ReadonlySet<string> = NET1): Resolution {
  return resolver.resolve({ name, type }, networks);
}
const found = (...addresses: string[]): Resolution => ({ by: 'us', answers: { code: CODE.noError, addresses } });

beforeEach(() => {
  directory = new NameDirectory();
  resolver = new Resolver(directory, 'calico-01');
  put('e', 'calico-02 net1', ['workload-E', '0123456789ab', 'shop'], ['192.0.2.5', '2001:db8::5']);
  put('a', 'calico-01 net1', ['workload-A'], ['192.0.2.1']);
  put('b', 'calico-01 net2', ['workload-B'], ['192.0.2.2']);
});

describe('Resolver.resolve()', () => {
  test('knows containers of other hosts by each of their names, on their network', () => {
    for (const name of ['workload-e', 'workload-e.net1', 'shop', 'shop.net1', '0123456789ab']) {
      expect(ask(name)).toEqual(found('192.0.2.5'));
    }
    expect(ask('shop', TYPE.AAAA)).toEqual(found('2001:db8::5'));
    expect(ask('shop', 16)).toEqual(found());
  });

  test('leaves to the engine what is on this host, and what is no container', () => {
    for (const name of ['workload-a', 'workload-a.net1', 'example.com', 'workload-e.net2', '']) {
      expect(ask(name)).toEqual({ by: 'engine' });
    }
    expect(ask('1.2.0.192.in-addr.arpa', TYPE.PTR)).toEqual({ by: 'engine' });
    expect(ask('99.2.0.192.in-addr.arpa', TYPE.PTR)).toEqual({ by: 'engine' });
  });

  test('tells nothing of networks that the asker is not on', () => {
    for (const name of ['workload-b', 'workload-b.net2', '2.2.0.192.in-addr.arpa']) {
      expect(ask(name)).toEqual({ by: 'foreign' });
    }
    expect(ask('workload-e.net1', TYPE.A, new Set(['net2']))).toEqual({ by: 'foreign' });
    expect(ask('workload-e.net1', TYPE.A, new Set(['net2', 'net1']))).toEqual(found('192.0.2.5'));
  });

  test('gives the name of an address', () => {
    const names: Resolution = { by: 'us', answers: { code: CODE.noError, names: ['workload-E.net1'] } };
    expect(ask('5.2.0.192.in-addr.arpa', TYPE.PTR)).toEqual(names);
  });

  test('lets containers of one name take turns, those of this host too', () => {
    put('f', 'calico-01 net1', ['other', 'shop'], ['192.0.2.6']);
    expect([ask('shop'), ask('shop')]).toEqual(
      expect.arrayContaining([found('192.0.2.5', '192.0.2.6'), found('192.0.2.6', '192.0.2.5')]),
    );
  });

  test('finds names and networks with dots in them', () => {
    put('d', 'calico-02 my.net', ['a.b'], ['192.0.2.9']);
    expect(ask('a.b.my.net', TYPE.A, new Set(['my.net']))).toEqual(found('192.0.2.9'));
    expect(ask('a.b', TYPE.A, new Set(['my.net']))).toEqual(found('192.0.2.9'));
  });
});

describe('NameDirectory', () => {
  test('holds after any history what its endpoints say now', () => {
    const word = fc.constantFrom('a', 'B', 'c', 'a.b');
    const endpoint: fc.Arbitrary<NamedEndpoint> = fc.record({
      node: fc.constant('calico-02'),
      network: word,
      names: fc.uniqueArray(word, { maxLength: 3 }),
      addresses: fc.uniqueArray(fc.constantFrom('192.0.2.1', '192.0.2.2'), { maxLength: 2 }),
    });
    const step = fc.tuple(fc.constantFrom('k1', 'k2', 'k3'), fc.option(endpoint, { nil: undefined }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), word, (steps, asked) => {
        const tried = new NameDirectory();
        const model = new Map<string, NamedEndpoint | undefined>();
        for (const [key, value] of steps) {
          tried.set(key, value);
          model.set(key, value);
        }
        const all = [...model.values()].filter((value) => value !== undefined);
        const lower = asked.toLowerCase();
        const named = all.filter(({ names, network }) =>
          names.some((each) => [each, `${each}.${network}`].some((text) => text.toLowerCase() === lower)),
        );
        expect(new Set(tried.named(asked))).toEqual(new Set(named));
        const there = all.filter(({ addresses }) => addresses.includes('192.0.2.1'));
        expect(new Set(tried.withAddress('192.0.2.1'))).toEqual(new Set(there));
      }),
    );
  });
});
