import { describe, expect, test } from 'vitest';
import { VERSION } from '../base/version.js';
import { explainMismatch } from './version.js';

describe('explainMismatch()', () => {
  test('is silent about a cluster of the same release, or of none', () => {
    expect(explainMismatch(undefined)).toBeUndefined();
    expect(explainMismatch('')).toBeUndefined();
    expect(explainMismatch(`${VERSION}-12-gabcdef`)).toBeUndefined();
    expect(explainMismatch('v99.0.0')).toContain('Cluster Version:  v99.0.0');
  });

  test('works on clusters that another implementation made', () => {
    expect(explainMismatch('v3.31.7')).toBeUndefined();
    expect(explainMismatch('3.0.1-0.dev')).toBeUndefined();
    expect(explainMismatch('v30.1.0')).toContain('version mismatch.');
  });
});
