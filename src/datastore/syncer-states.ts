/**
 * What a syncer is doing. `waiting`: the store cannot be reached, what was said last still holds. `listing`: reading everything for
 * the first time. `in-sync`: following changes. `resyncing`: reading everything again after changes may have been missed.
 */
export type SyncerStatus = 'waiting' | 'listing' | 'in-sync' | 'resyncing';

/** What can happen to it. */
export type SyncerOccurrence =
  /** Everything is read, the watch is running. */
  | 'listed'
  /** A call failed; another try may help. */
  | 'unavailable'
  /** The backoff is over. */
  | 'retry'
  /** The history since the last revision seen is gone, or an audit found a difference. */
  | 'gap';

type Transitions = { readonly [From in SyncerStatus]: { readonly [On in SyncerOccurrence]?: SyncerStatus } };

/** `waiting` returns to `listing` until the first complete list, later to `resyncing`: see {@link nextStatus}. */
const transitions: Transitions = {
  waiting: { retry: 'listing' },
  listing: { listed: 'in-sync', unavailable: 'waiting', gap: 'listing' },
  'in-sync': { unavailable: 'waiting', gap: 'resyncing' },
  resyncing: { listed: 'in-sync', unavailable: 'waiting', gap: 'resyncing' },
};

/**
 * The state after an occurrence.
 *
 * @param hasSnapshot whether a complete list was ever read: then reading again is a resync
 * @throws {Error} for an occurrence that cannot happen in the state: a bug
 */
export function nextStatus(from: SyncerStatus, on: SyncerOccurrence, hasSnapshot: boolean): SyncerStatus {
  const to = transitions[from][on];
  if (to === undefined) throw new Error(`syncer: "${on}" cannot happen while ${from}`);
  return to === 'listing' && hasSnapshot ? 'resyncing' : to;
}
