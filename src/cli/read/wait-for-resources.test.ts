import { describe, expect, test } from 'vitest';
import type { IPPool } from '../../api/kinds/ip-pool.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake, ok } from '../calicoctl.fake.js';
import { parseWaitCondition } from './wait-for-resources.js';

const pool: IPPool = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'IPPool',
  metadata: { name: 'a' },
  spec: { cidr: '192.168.1.0/24', natOutgoing: true, nodeSelector: 'all()' },
  status: { conditions: [{ type: 'Allocatable', status: 'False', reason: 'PoolDisabled' }] },
};

async function calicoctl(words: readonly string[], signal = new AbortController().signal) {
  const datastore = new MemoryDatastore();
  await datastore.create({ kind: 'IPPool', name: 'a' }, pool);
  return new CalicoctlFake(datastore).run(words, '', { signal });
}

describe('parseWaitCondition()', () => {
  test.each([
    ['create', true, 'is there'],
    ['delete', false, 'is gone'],
    ['jsonpath={.spec.cidr}=192.168.1.0/24', true, 'has .spec.cidr 192.168.1.0/24'],
    ['jsonpath=.spec.natOutgoing=true', true, 'has .spec.natOutgoing true'],
    ['{.spec.natOutgoing}=false', false, 'has .spec.natOutgoing false'],
    ['jsonpath={.spec.disabled}', false, 'has .spec.disabled'],
    ['condition=Allocatable', false, 'has condition Allocatable True'],
    ['condition=Allocatable=false', true, 'has condition Allocatable false'],
  ])('%s', (text, isMet, met) => {
    const condition = parseWaitCondition(text);
    expect([condition.isMet(pool), condition.met]).toEqual([isMet, met]);
  });

  test.each([
    [undefined, 'nothing to wait for'],
    ['deleted', 'unknown condition "deleted"'],
    ['jsonpath={}=1', '"" is not a path to a field'],
    ['condition=', 'give the type of a condition'],
  ])('refuses %j', (text, message) => {
    expect(() => parseWaitCondition(text)).toThrow(message);
  });
});

describe('calicoctl wait', () => {
  test('ends at once when it is so already', async () => {
    expect(await calicoctl(['wait', 'ippool', 'a', '--for=create'])).toEqual({
      status: 0,
      stdout: 'IPPool(a) is there\n',
      stderr: '',
    });
  });

  test('finds a policy that an older version stored under its tier', async () => {
    const metadata = { name: 'web' };
    const value = { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkPolicy', metadata, spec: {} } as const;
    const datastore = new MemoryDatastore();
    await datastore.create({ kind: 'GlobalNetworkPolicy', name: 'default.web' }, value);
    const words = ['wait', 'globalnetworkpolicy', 'web', '--for=create', '--timeout=10s'];
    expect(await new CalicoctlFake(datastore).run(words)).toEqual(ok('GlobalNetworkPolicy(web) is there\n'));
  });

  test('gives up in time, and says what is missing', async () => {
    expect(
      await calicoctl(['wait', 'ippool', 'a', 'b', '--for', 'condition=Allocatable', '--timeout', '20ms']),
    ).toEqual({
      status: 1,
      stdout: '',
      stderr: 'timed out after 20ms: IPPool(a) has condition Allocatable False; IPPool(b) does not exist\n',
    });
  });

  test('stops on Ctrl-C', async () => {
    expect(await calicoctl(['wait', 'ippool', 'a', '--for=delete'], AbortSignal.abort())).toEqual({
      status: 130,
      stdout: '',
      stderr: 'interrupted\n',
    });
  });

  test('refuses a field that the kind has not', async () => {
    const { stderr } = await calicoctl(['wait', 'ippool', 'a', '--for=jsonpath={.spec.cdir}=1']);
    expect(stderr).toBe('there is no field "cdir" in IPPool spec\n  hint: did you mean "cidr"?\n');
  });

  test('refuses a duration that is none', async () => {
    const { stderr } = await calicoctl(['wait', 'ippool', 'a', '--for=delete', '--timeout=soon']);
    expect(stderr).toBe('"soon" is not a duration such as 90s or 1m30s\n');
  });
});
