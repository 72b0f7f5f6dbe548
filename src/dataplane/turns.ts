/** Well below the longest turn we allow ourselves: what follows a step in the same turn is not counted. */
const TURN_MS = 15;

/** Runs the steps to their end, giving the event loop a turn whenever they have held it for a while. */
export async function runInTurns<T>(steps: Generator<void, T>): Promise<T> {
  let start = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - start > TURN_MS) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      start = performance.now();
    }
  }
}
