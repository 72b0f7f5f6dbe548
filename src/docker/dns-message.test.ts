import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOfReverseName, CODE, decodeQuery, type DnsAnswers, encodeAnswer, TYPE } from './dns-message.js';

const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,63}$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

function question(
  text: string,
  options: { type?: number; flags?: number; edns?: number; klass?: number } = {},
): Buffer {
  const { type = TYPE.A, flags = 0x0100, edns, klass = 1 } = options;
  const header = Buffer.alloc(12);
  for (const [at, value] of [0xbeef, flags, 1, 0, 0, edns === undefined ? 0 : 1].entries()) {
    header.writeUInt16BE(value, at * 2);
  }
  const labels = text.split('.').flatMap((part) => [Buffer.of(part.length), Buffer.from(part)]);
  const end = Buffer.of(0, type >> 8, type & 255, 0, klass);
  const opt = edns === undefined ? [] : [Buffer.of(0, 0, 41, edns >> 8, edns & 255, 0, 0, 0, 0, 0, 0)];
  return Buffer.concat([header, ...labels, end, ...opt]);
}

/** Answers every question alike, and lets the resolver of Node's own ask. */
async function asked<T>(answers: DnsAnswers, ask: (resolver: Resolver) => Promise<T>): Promise<T> {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('message', (bytes, { port, address }) => {
    const query = decodeQuery(bytes);
    if (query !== undefined) server.send(encodeAnswer(query, answers), port, address);
  });
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  try {
    return await ask(resolver);
  } finally {
    server.close();
  }
}

describe('decodeQuery()', () => {
  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const query = decodeQuery(Buffer.from(bytes));
        expect(query === undefined || query.question.length <= bytes.length).toBe(true);
      }),
    );
  });

  test('reads every question, and none of those cut short', () => {
    fc.assert(
      fc.property(name, fc.nat(0xffff), fc.option(fc.nat(0xffff), { nil: undefined }), (text, type, edns) => {
        fc.pre(text.length <= 253);
        const bytes = question(text, { type, ...(edns === undefined ? {} : { edns }) });
        expect(decodeQuery(bytes)).toMatchObject({
          id: 0xbeef,
          name: text.toLowerCase(),
          type,
          isRecursionDesired: true,
          hasEdns: edns !== undefined,
        });
        for (let end = 0; end < bytes.length; end += 1) expect(decodeQuery(bytes.subarray(0, end))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['an answer', question('web', { flags: 0x8100 })],
    ['an update', question('web', { flags: 0x2800 })],
    ['another class', question('web', { klass: 3 })],
    ['a pointer', Buffer.concat([question('web').subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)])],
    [
      'a dot inside a label',
      Buffer.concat([question('web').subarray(0, 12), Buffer.from('\u0003a.b\0\0\u0001\0\u0001')]),
    ],
  ])('leaves %s to others', (_what, bytes) => {
    expect(decodeQuery(bytes)).toBeUndefined();
  });
});

describe('encodeAnswer()', () => {
  test('is read by others as it was meant', async () => {
    const addresses = ['192.0.2.7', '192.0.2.8'];
    expect(await asked({ code: CODE.noError, addresses }, (from) => from.resolve4('web.net1'))).toEqual(addresses);
    const six = ['2001:db8::7'];
    expect(await asked({ code: CODE.noError, addresses: six }, (from) => from.resolve6('web'))).toEqual(six);
    const names = ['workload-E.net1'];
    expect(await asked({ code: CODE.noError, names }, (from) => from.reverse('192.0.2.7'))).toEqual(names);
  });

  test('tells a name that is none from one without such an address', async () => {
    const ask = (from: Resolver): Promise<string[]> => from.resolve4('web');
    await expect(asked({ code: CODE.noSuchName }, ask)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(asked({ code: CODE.noError }, ask)).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('is never longer than the asker takes', () => {
    const addresses = Array.from({ length: 200 }, (_, at) => `192.0.2.${at}`);
    fc.assert(
      fc.property(name, fc.option(fc.nat(0xffff), { nil: undefined }), (text, edns) => {
        const query = decodeQuery(question(text, edns === undefined ? {} : { edns }));
        fc.pre(query !== undefined);
        const answer = encodeAnswer(query, { code: CODE.noError, addresses, names: [text] });
        expect(answer.length).toBeLessThanOrEqual(Math.min(Math.max(edns ?? 0, 512), 1_232));
        expect(answer.readUInt16BE(6)).toBeGreaterThan(10);
      }),
      { numRuns: 50 },
    );
  });

  test('leaves out names that are none', () => {
    const query = decodeQuery(question('7.2.0.192.in-addr.arpa', { type: TYPE.PTR }));
    if (query === undefined) throw new Error('not read');
    const names = ['', 'a..b', 'x'.repeat(64), 'ok'];
    expect(encodeAnswer(query, { code: CODE.noError, names }).readUInt16BE(6)).toBe(1);
  });
});

describe('addressOfReverseName()', () => {
  test.each([
    ['7.2.0.192.in-addr.arpa', '192.0.2.7'],
    ['7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa', '2001:db8::7'],
    ['2.0.192.in-addr.arpa', undefined],
    ['256.2.0.192.in-addr.arpa', undefined],
    ['workload-e.net1', undefined],
  ])('%s is %s', (text, address) => {
    expect(addressOfReverseName(text)).toBe(address);
  });
});
