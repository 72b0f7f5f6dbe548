import { describeKey } from '../api/keys.js';
import type { Kind } from '../api/registry.js';
import { type Clock, sleep, TimeSlice } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import type { Datastore } from './datastore.js';
import type { Difference, Snapshot } from './snapshot.js';

/** Changes never reached us although the watch went on. */
export const WATCH_LOST = 'ERR_CALI_DATASTORE_WATCH_LOST';

/** Work between two turns of the event loop. */
const TURN_MS = 10;

/** How long a change may be on its way from the store to the snapshot. */
const SETTLE_MS = 2_000;

export interface Audited {
  readonly datastore: Datastore;
  readonly kinds: readonly Kind[];
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function differencesOf({ datastore, kinds, snapshot, clock, signal }: Audited): Promise<Difference[]> {
  const differences: Difference[] = [];
  const slice = new TimeSlice(clock, TURN_MS);
  for (const kind of kinds) {
    const list = await datastore.listRevisions(kind, { signal });
    await clock.nextTurn();
    differences.push(...(await snapshot.compare(kind, list, slice)).values());
  }
  return differences;
}

function identity(difference: Difference): string {
  return `${describeKey(difference.key)} ${difference.stored ?? '-'} ${difference.known ?? '-'}`;
}

/**
 * Compares keys and revisions of the store with what was told. A difference that stands unchanged for two seconds is no change on
 * its way but one that was lost.
 *
 * @throws {CalicoError} {@link WATCH_LOST}, naming one object
 */
export async function audit(audited: Audited): Promise<void> {
  const first = await differencesOf(audited);
  if (first.length === 0) return;
  await sleep(audited.clock, SETTLE_MS, audited.signal);
  if (audited.signal.aborted) return;
  const before = new Set(first.map(identity));
  const lost = (await differencesOf(audited)).filter((difference) => before.has(identity(difference)));
  const [example] = lost;
  if (example === undefined) return;
  const { description } = audited.datastore;
  const more = lost.length === 1 ? '' : ` and of ${lost.length - 1} more`;
  throw new CalicoError(
    WATCH_LOST,
    `the watch of ${description} lost a change of ${describeKey(example.key)}${more}: reading everything again`,
  );
}
