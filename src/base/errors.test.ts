import { describe, expect, test } from 'vitest';
import { CalicoError, formatError, ifFound, NotFoundError, visibleText } from './errors.js';

describe('visibleText()', () => {
  test('writes control characters out, leaves everything else', () => {
    expect(visibleText('a\n\u001b[31mb\u0000\t\u009b é "x"')).toBe('a\\n\\x1b[31mb\\x00\\t\\x9b é "x"');
  });
});

describe('ifFound()', () => {
  test('takes what does not exist for nothing, and hands every other failure on', async () => {
    expect(await ifFound(Promise.resolve(7))).toBe(7);
    expect(await ifFound(Promise.reject(new NotFoundError('ERR_CALI_TEST', 'gone')))).toBeUndefined();
    await expect(ifFound(Promise.reject(new CalicoError('ERR_CALI_TEST', 'broken')))).rejects.toThrow('broken');
  });
});

describe('formatError()', () => {
  test('says where, what and what to do', () => {
    const error = new CalicoError('ERR_CALI_TEST', 'it is wrong', { hint: 'mend it', where: { file: 'a.yaml' } });
    expect(formatError(error)).toBe('a.yaml: it is wrong\n  hint: mend it');
  });

  test('no terminal obeys what somebody put into a value', () => {
    expect(formatError(new CalicoError('ERR_CALI_TEST', 'bad "\u001b[2J"'))).toBe('bad "\\x1b[2J"');
    expect(formatError(new Error('bad \u0007'))).toBe('bad \\x07');
  });
});
