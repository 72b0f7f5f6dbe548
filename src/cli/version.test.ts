import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CLIENT_VERSION, explainMismatch } from './version.js';

describe('the version', () => {
  test('is that of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(CLIENT_VERSION).toBe(`v${version}`);
  });

  test('fits a cluster of the same release, or of none', () => {
    expect(explainMismatch(undefined)).toBeUndefined();
    expect(explainMismatch('')).toBeUndefined();
    expect(explainMismatch(`${CLIENT_VERSION}-12-gabcdef`)).toBeUndefined();
    expect(explainMismatch('v99.0.0')).toContain('Cluster Version:  v99.0.0');
  });
});
