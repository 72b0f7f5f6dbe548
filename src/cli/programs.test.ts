import { describe, expect, test } from 'vitest';
import { runProgram } from './programs.js';

describe('runProgram()', () => {
  test('gives the program its input and words untouched, and collects what it says', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error(process.argv[1]); process.exitCode = 3;';
    const ended = await runProgram(process.execPath, ['-e', script, '$(id); *'], { input: 'in' });
    expect(ended).toEqual({ status: 3, stdout: 'in', stderr: '$(id); *\n' });
  });

  test('says that a program is not there', async () => {
    await expect(runProgram('/nonexistent/editor', [])).rejects.toThrow(
      'cannot run "/nonexistent/editor": it is not installed',
    );
  });
});
