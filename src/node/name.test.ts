import { describe, expect, test } from 'vitest';
import { chooseNodeName } from './name.js';

describe('chooseNodeName()', () => {
  const all = { NODENAME: ' Calico-01 ', HOSTNAME: 'Other' };
  test.each([
    ['NODENAME as it is', { environment: all, fileText: 'filed', osName: 'os' }, 'Calico-01'],
    ['the file', { environment: { HOSTNAME: 'Other' }, fileText: 'filed\n', osName: 'os' }, 'filed'],
    ['HOSTNAME in lower case', { environment: { HOSTNAME: 'Other' }, fileText: undefined, osName: 'os' }, 'other'],
    ['the system', { environment: { HOSTNAME: ' ' }, fileText: '', osName: 'Box' }, 'box'],
  ])('takes %s', (_, sources, name) => {
    expect(chooseNodeName(sources)).toBe(name);
  });

  test('a host without a name cannot start', () => {
    expect(() => chooseNodeName({ environment: {}, fileText: undefined, osName: '' })).toThrow('this host has no name');
  });
});
