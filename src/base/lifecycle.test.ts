import { describe, expect, test } from 'vitest';
import { Life } from './lifecycle.js';

function setUp(start: (signal: AbortSignal) => Promise<void> = () => Promise.resolve()) {
  const steps: string[] = [];
  const life = new Life({
    start: async (signal) => {
      steps.push('start');
      await start(signal);
    },
    stop: () => {
      steps.push('stop');
      return Promise.resolve();
    },
  });
  return { life, steps };
}

describe('Life', () => {
  test('starting twice is one start, stopping twice one stop', async () => {
    const { life, steps } = setUp();
    await Promise.all([life.start(), life.start()]);
    expect(life.state).toBe('running');
    await Promise.all([life.stop(), life.stop()]);
    await life.stop();
    expect(life.state).toBe('stopped');
    expect(steps).toEqual(['start', 'stop']);
  });

  test('a stop during the start aborts it, then cleans up', async () => {
    const { life, steps } = setUp(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    );
    const started = life.start();
    expect(life.state).toBe('starting');
    await life.stop();
    await started;
    expect(steps).toEqual(['start', 'stop']);
    expect(life.state).toBe('stopped');
  });

  test('a start that fails cleans up and may be tried again', async () => {
    let isBroken = true;
    const { life, steps } = setUp(() => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve()));
    await expect(life.start()).rejects.toThrow('no');
    expect(life.state).toBe('stopped');
    isBroken = false;
    await life.start();
    await life[Symbol.asyncDispose]();
    expect(steps).toEqual(['start', 'stop', 'start', 'stop']);
  });
});
