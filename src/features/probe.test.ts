import { describe, expect, test } from 'vitest';
import { KernelError } from '../base/errors.js';
import { kernelFeatures } from './kernel-features.js';
import { type Feature, FeatureProbe, unsupported } from './probe.js';

function featureThat(attempts: (() => boolean)[]): Feature {
  return {
    name: 'ipip',
    title: 'IPIP is',
    since: '2.2',
    lost: 'pools with ipipMode get no tunnel on this host',
    hint: 'load the module ipip',
    attempt: () => Promise.resolve().then(() => attempts.shift()?.() ?? false),
    absentErrnos: [95],
  };
}

function fail(errno: number, errnoName: string): () => never {
  return () => {
    throw new KernelError({ operation: 'create ipip link probe0', errno, errnoName });
  };
}

describe('FeatureProbe', () => {
  test('an errno that means absence is no; the answer is kept', async () => {
    const probe = new FeatureProbe();
    const feature = featureThat([fail(95, 'EOPNOTSUPP'), () => true]);
    expect((await probe.check(feature)).outcome).toBe('no');
    expect((await probe.check(feature)).outcome).toBe('no');
    await expect(probe.require(feature)).rejects.toThrowError(
      'IPIP is not in this kernel (Linux has it since 2.2): pools with ipipMode get no tunnel on this host',
    );
  });

  test('any other errno is "could not tell", with the reason, and is tried again', async () => {
    const probe = new FeatureProbe();
    const feature = featureThat([fail(1, 'EPERM'), () => true]);
    expect(await probe.check(feature)).toMatchObject({
      outcome: 'unknown',
      reason: 'cannot create ipip link probe0: EPERM',
    });
    expect((await probe.check(feature)).outcome).toBe('yes');
  });

  test('a bug in a probe is not an answer', async () => {
    const feature = featureThat([
      () => {
        throw new TypeError('oops');
      },
    ]);
    await expect(new FeatureProbe().check(feature)).rejects.toThrowError(TypeError);
  });
});

describe('kernelFeatures', () => {
  test('have unique names and say what to do without them', () => {
    const features = Object.values(kernelFeatures);
    expect(new Set(features.map(({ name }) => name)).size).toBe(features.length);
    for (const feature of features) expect(unsupported(feature).hint).toMatch(/^(load|boot)/);
  });
});
