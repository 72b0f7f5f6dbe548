import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VERSION } from './version.js';

describe('the version', () => {
  test('is that of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(`v${version}`);
  });
});
