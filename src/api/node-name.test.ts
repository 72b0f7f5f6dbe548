import { describe, expect, test } from 'vitest';
import { chooseNodeName } from './node-name.js';

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

  test.each(['Bad Name;drop', '../x', 'a/b', '-a', 'a\nb'])('refuses "%s"', (name) => {
    const choose = () => chooseNodeName({ environment: { NODENAME: name }, fileText: undefined, osName: 'os' });
    expect(choose).toThrow('cannot be the name of a node');
  });

  test('a host without a name cannot start', () => {
    expect(() => chooseNodeName({ environment: {}, fileText: undefined, osName: '' })).toThrow('this host has no name');
  });
});
