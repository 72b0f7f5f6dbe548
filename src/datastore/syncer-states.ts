/**
 * What a syncer is doing. `waiting`: the store cannot be reached, what was said last still holds. `listing`: reading everything for
 * the first time. `in-sync`: following changes. `resyncing`: reading everything again after changes may have been missed.
 */
export type SyncerStatus = 'waiting' | 'listing' | 'in-sync' | 'resyncing';

/** What can happen to it. */
export type SyncerOccurrence =
  /** Everything is read, the watch is running. */
  | 'listed'
  /** The watch runs again, from where it broke off. */
  | 'resumed'
  /** A call failed; another try may help. */
  | 'unavailable'
  /** The backoff is over: read everything again. */
  | 'retry'
  /** The history since the last revision seen is gone, or an audit found a difference. */
  | 'gap';

type Transitions = { readonly [From in SyncerStatus]: { readonly [On in SyncerOccurrence]?: SyncerStatus } };

// `listing` stands for `resyncing` once a complete list was read: see nextStatus.
const transitions: Transitions = {
  waiting: { retry: 'listing', resumed: 'in-sync', unavailable: 'waiting', gap: 'listing' },
  listing: { listed: 'in-sync', unavailable: 'waiting', gap: 'listing' },
  'in-sync': { unavailable: 'waiting', gap: 'listing' },
  resyncing: { listed: 'in-sync', unavailable: 'waiting', gap: 'listing' },
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
