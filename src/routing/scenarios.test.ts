import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runScenario } from './scenario.fake.js';

const folder = new URL('./testdata/', import.meta.url);

describe('routing scenarios', () => {
  test.each(readdirSync(folder))('%s', (name) => {
    const file = new URL(name, folder);
    const text = readFileSync(file, 'utf8');
    const result = runScenario(text);
    if (process.env['UPDATE_SCENARIOS'] === '1') writeFileSync(file, result);
    else expect(text).toBe(result);
    expect(result).toContain('\n----\n');
  });
});
