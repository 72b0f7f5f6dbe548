import type { ResourceUpdate } from '../api/resource-update.js';
import type { CalicoError } from '../base/errors.js';
import type { SyncerStatus } from './syncer-states.js';

/** What a syncer tells its reader. Updates reach it before the status that they complete. */
export type SyncerEvent =
  /** `reason`: why it waits, resyncs, or what it cannot read; its message is fit for people. */
  | { readonly type: 'status'; readonly status: SyncerStatus; readonly reason?: CalicoError }
  /** At most 1,000; no two of one key in a batch of a list. */
  | { readonly type: 'updates'; readonly updates: readonly ResourceUpdate[] };
