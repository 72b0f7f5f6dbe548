import { describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { Conditions } from '../base/conditions.js';
import { UnavailableError, ValidationError } from '../base/errors.js';
import { createLog } from '../base/log.js';
import { untilDatastoreAnswers } from './patience.js';

function setUp() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const conditions = new Conditions(clock);
  const stop = new AbortController();
  const log = createLog({ write: (line) => lines.push(line) });
  const options = { clock, random: () => 1, log, conditions, description: 'etcd at h', signal: stop.signal };
  return { clock, lines, conditions, stop, options };
}

const refused = () => Promise.reject(new UnavailableError('ERR_CALI_X', 'connection refused'));

describe('untilDatastoreAnswers()', () => {
  test('waits longer and longer, saying what for, until there is an answer', async () => {
    const { clock, lines, conditions, options } = setUp();
    let tries = 0;
    const answer = untilDatastoreAnswers(() => ((tries += 1) < 3 ? refused() : Promise.resolve('yes')), options);
    await clock.advance(1_000);
    expect(conditions.shown()).toMatchObject([
      {
        code: 'datastore-unreachable',
        text: 'waiting for etcd at h: connection refused; this host goes on enforcing what it knows',
      },
    ]);
    await clock.advance(2_000);
    expect(await answer).toBe('yes');
    expect(conditions.shown()).toEqual([]);
    expect(lines.join('')).toContain('waiting for etcd at h: connection refused, 1.0 s so far, next try in 2.0 s');
  });

  test('does not wait for what waiting cannot mend', async () => {
    const { options } = setUp();
    const wrong = new ValidationError('ERR_CALI_X', 'no such field', []);
    await expect(untilDatastoreAnswers(() => Promise.reject(wrong), options)).rejects.toBe(wrong);
  });

  test('says what it waits for before the first try has failed', async () => {
    const { clock, lines, conditions, options } = setUp();
    let fail: (error: Error) => void = () => undefined;
    const first = new Promise<string>((_, reject) => (fail = reject));
    let tries = 0;
    const answer = untilDatastoreAnswers(() => ((tries += 1) === 1 ? first : Promise.resolve('yes')), options);
    await clock.advance(1_000);
    expect(conditions.shown()[0]?.text).toContain('waiting for etcd at h: no answer yet');
    expect(lines.join('')).toContain('waiting for etcd at h: no answer in 1.0 s');
    fail(new UnavailableError('ERR_CALI_X', 'name resolution failed'));
    await clock.advance(1_000);
    expect(await answer).toBe('yes');
    expect([conditions.shown(), clock.timers]).toEqual([[], 0]);
  });

  test('stops when told so', async () => {
    const { clock, stop, options } = setUp();
    const answer = untilDatastoreAnswers(refused, options);
    await clock.settle();
    stop.abort();
    await expect(answer).rejects.toThrow('connection refused');
    expect(clock.timers).toBe(0);
  });
});
