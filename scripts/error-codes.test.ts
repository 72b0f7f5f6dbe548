import { describe, expect, test } from 'vitest';
import { compareErrorCodes } from './error-codes.js';

describe('compareErrorCodes()', () => {
  test('names a code without explanation, and an explanation without code', () => {
    const sources = ["throw new CalicoError('ERR_CALI_A_ONE', '');", "throw new CalicoError('ERR_CALI_B_TWO', '');"];
    expect(compareErrorCodes(sources, '| `ERR_CALI_A_ONE` | `ERR_CALI_C_OLD` |')).toEqual({
      unexplained: ['ERR_CALI_B_TWO'],
      leftOver: ['ERR_CALI_C_OLD'],
    });
  });

  test('takes a family by its beginning, and no code from comments', () => {
    const source = 'super(`ERR_CALI_KERNEL_${name}`);\n/** @throws ERR_CALI_X_DOC */\n  // ERR_CALI_X_LINE';
    expect(compareErrorCodes([source], '`ERR_CALI_KERNEL_`*ERRNO*')).toEqual({ unexplained: [], leftOver: [] });
  });
});
