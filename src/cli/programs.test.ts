import { describe, expect, test } from 'vitest';
import { runProgram } from './programs.js';

describe('runProgram()', () => {
  test('gives the program its input and words untouched, and collects what it says', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error(process.argv[1]); process.exitCode = 3;';
    const ended = await runProgram(process.execPath, ['-e', script, '$(id); *'], { input: 'in' });
    expect(ended).toEqual({ status: 3, stdout: 'in', stderr: '$(id); *\n' });
  });

  test('says which signal ended a program, and why it was not waited for', async () => {
    const kill = ['-e', 'process.kill(process.pid, "SIGKILL")'];
    expect(await runProgram(process.execPath, kill)).toMatchObject({ status: 137 });
    const wait = ['-e', 'setInterval(() => undefined, 1000)'];
    const enough = new AbortController();
    const interrupted = runProgram(process.execPath, wait, { signal: enough.signal });
    enough.abort();
    await expect(interrupted).rejects.toThrow(/^cannot run ".*": interrupted$/);
    const late = runProgram(process.execPath, wait, { timeoutMs: 2, signal: new AbortController().signal });
    await expect(late).rejects.toThrow(/^cannot run ".*": it takes longer than 0.002 s$/);
  });

  test('says that a program is not there', async () => {
    await expect(runProgram('/nonexistent/editor', [])).rejects.toThrow(
      'cannot run "/nonexistent/editor": it is not installed',
    );
  });
});
