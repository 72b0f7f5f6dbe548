import { type Clock, TimeSlice } from '../base/clock.js';

/** Well below the longest turn we allow ourselves: what follows the last step in the same turn is not counted. */
const SLICE_MS = 15;

/** Runs the steps to their end, giving the event loop a turn whenever they have held it for a while. */
export async function runInTurns<T>(clock: Clock, steps: Generator<void, T>): Promise<T> {
  const slice = new TimeSlice(clock, SLICE_MS);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await slice.pause();
  }
}
