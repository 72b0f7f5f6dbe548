import { describe, expect, test } from 'vitest';
import { parseResource, validate } from './validate.js';

const API_VERSION = 'projectcalico.org/v3';
const pool = (spec: object) => ({
  apiVersion: API_VERSION,
  kind: 'IPPool',
  metadata: { name: 'a' },
  spec: { cidr: '192.0.2.0/24', ...spec },
});

describe('readPart()', () => {
  test.each(['yes', 'Yes', 'YES', 'y', 'on', 'On'])('takes %s for true where true or false is asked for', (word) => {
    expect(parseResource(pool({ natOutgoing: word })).spec).toMatchObject({ natOutgoing: true });
  });

  test.each(['no', 'NO', 'n', 'off', 'Off'])('takes %s for false there', (word) => {
    expect(parseResource(pool({ natOutgoing: word })).spec).toMatchObject({ natOutgoing: false });
  });

  test('takes these words as they are everywhere else', () => {
    const set = { apiVersion: API_VERSION, kind: 'GlobalNetworkSet', metadata: { name: 'no', labels: { on: 'yes' } } };
    expect(parseResource(set).metadata).toMatchObject({ name: 'no', labels: { on: 'yes' } });
  });

  test.each([
    [{ natOutgoing: 'true' }, '"true" is not true or false', 'take the quotes away'],
    [{ natOutgoing: 'perhaps' }, '"perhaps" is not true or false', undefined],
    [{ blockSize: '26' }, '"26" is not a number', 'take the quotes away'],
    [{ cidr: 10 }, '10 is not text', 'put it in quotes'],
  ])('%j: %s', (spec, message, hint) => {
    const [issue, ...others] = validate(pool(spec));
    expect([issue?.message, issue?.hint, others]).toEqual([message, hint, []]);
  });

  test.each([Infinity, -Infinity])('refuses %d, which JSON cannot hold', (order) => {
    const tier = { apiVersion: API_VERSION, kind: 'Tier', metadata: { name: 'a' }, spec: { order } };
    expect(validate(tier).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'spec.order: it is infinite: no such number can be stored',
    ]);
  });
});
