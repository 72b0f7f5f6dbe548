import { parseKeyPath } from '../../api/keys.js';
import type { Kind } from '../../api/registry.js';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import { isBuiltInKey } from '../built-in-profile.js';
import type { WatchBatch, WatchEvent, WatchOptions } from '../datastore.js';
import { isClosed, isCompacted, parseRevision, wentBack } from '../errors.js';
import { decodeEvent } from '../watch-events.js';
import { WATCH_BUFFER_EVENTS, WatchQueue } from '../watch-queue.js';
import { CALL_TIMEOUT_MS, type EtcdConnection } from './connection.js';
import { type Event, Event_EventType, type WatchRequest, type WatchResponse } from './generated/etcd.js';
import { coveringRange } from './ranges.js';

interface WatchPlan {
  readonly connection: EtcdConnection;
  readonly kinds: ReadonlySet<Kind>;
  readonly bufferEvents: number;
}

/** Reads the responses of one stream into a queue, from one revision on. */
class WatchReader {
  readonly queue: WatchQueue;
  readonly #plan: WatchPlan;
  /** All events up to here are in the queue. */
  #revision: bigint;
  #fragments: Event[] = [];
  /** True once the server said that the watch runs. */
  hasBegun = false;

  constructor(plan: WatchPlan, afterRevision: bigint) {
    this.#plan = plan;
    this.#revision = afterRevision;
    this.queue = new WatchQueue(plan.connection.description, plan.bufferEvents);
  }

  get revision(): bigint {
    return this.#revision;
  }

  take(response: WatchResponse): void {
    const { description } = this.#plan.connection;
    if (response.canceled) {
      this.queue.fail(this.#cancellation(response));
    } else if (response.created) {
      const stored = response.header?.revision ?? 0n;
      if (stored < this.#revision) {
        this.queue.fail(wentBack(description, String(this.#revision), String(stored)));
        return;
      }
      this.hasBegun = true;
      this.queue.push({ events: [], revision: String(this.#revision) });
    } else {
      this.#takeEvents(response);
    }
  }

  #cancellation(response: WatchResponse): Error {
    const { description } = this.#plan.connection;
    if (response.compactRevision > 0n) {
      return isCompacted(description, String(this.#revision), new Error(response.cancelReason));
    }
    const said = response.cancelReason.replace(/^.*etcdserver: /, '');
    if (/permission denied|auth/.test(said)) {
      return new CalicoError('ERR_CALI_DATASTORE_UNAUTHORIZED', `${description} refuses a watch: ${said}`, {
        hint: 'give the user a role that may read /calico/',
      });
    }
    return new UnavailableError('ERR_CALI_DATASTORE_UNAVAILABLE', `${description} ended the watch: ${said}`);
  }

  #takeEvents(response: WatchResponse): void {
    // Large commits come in fragments; they are passed on together, as they were written.
    this.#fragments.push(...response.events);
    if (response.fragment) return;
    const events = this.#fragments;
    this.#fragments = [];
    const revision = events.at(-1)?.kv?.modRevision ?? response.header?.revision ?? this.#revision;
    if (revision > this.#revision) this.#revision = revision;
    const ours = events.flatMap((event) => this.#decode(event));
    // A notice of progress has no events: etcd sends it in order with them.
    if (ours.length > 0 || events.length === 0) this.queue.push({ events: ours, revision: String(this.#revision) });
  }

  #decode({ type, kv }: Event): readonly WatchEvent[] {
    if (kv === undefined) return [];
    const key = parseKeyPath(kv.key.toString());
    if (key === undefined || !this.#plan.kinds.has(key.kind) || isBuiltInKey(key)) return [];
    const text = type === Event_EventType.DELETE ? undefined : kv.value.toString();
    return [decodeEvent(key, text, String(kv.modRevision))];
  }
}

function createRequest(plan: WatchPlan, afterRevision: bigint): WatchRequest {
  return {
    createRequest: {
      ...coveringRange([...plan.kinds]),
      startRevision: afterRevision + 1n,
      // Notices asked for by hand may overtake events in etcd before 3.4.25; these come in order.
      progressNotify: true,
      fragment: true,
    },
  };
}

/** One stream, until it breaks: yields batches, throws why it ended. */
async function* readStream(plan: WatchPlan, reader: WatchReader, signal?: AbortSignal): AsyncGenerator<WatchBatch> {
  const { queue } = reader;
  const watch = await plan.connection.openWatch({
    onResponse: (response) => reader.take(response),
    onEnd: (error) => queue.fail(error),
  });
  const stop = (): void => queue.end();
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  watch.send(createRequest(plan, reader.revision));
  // A stopped server takes connections and never answers; pings alone would find out much later.
  const patience = setTimeout(() => {
    if (!reader.hasBegun) queue.fail(watch.giveUp());
  }, CALL_TIMEOUT_MS);
  try {
    for (;;) {
      const batch = await queue.next();
      if (batch === undefined) return;
      yield batch;
    }
  } finally {
    clearTimeout(patience);
    signal?.removeEventListener('abort', stop);
    queue.end();
    watch.cancel();
  }
}

export interface EtcdWatchOptions extends WatchOptions {
  readonly bufferEvents?: number | undefined;
}

/**
 * Changes of these kinds. A stream that breaks is opened again after the last revision read, once at each endpoint; only when none
 * answers does the watch end with UnavailableError.
 */
export async function* watchKinds(
  connection: EtcdConnection,
  kinds: readonly Kind[],
  options: EtcdWatchOptions,
): AsyncGenerator<WatchBatch> {
  const { signal } = options;
  const plan = { connection, kinds: new Set(kinds), bufferEvents: options.bufferEvents ?? WATCH_BUFFER_EVENTS };
  let revision = parseRevision(options.afterRevision);
  let isResumed = false;
  for (let failures = 0; failures <= connection.endpointCount;) {
    const reader = new WatchReader(plan, revision);
    try {
      let isFirst = true;
      for await (const batch of readStream(plan, reader, signal)) {
        // That a watch begins is no proof: one that is cut each time it begins must not be opened again and again without a pause.
        if (!isFirst) failures = 0;
        isFirst = false;
        revision = BigInt(batch.revision);
        // That it runs again after a cut is our own affair.
        if (!isResumed || batch.events.length > 0) yield batch;
      }
      return;
    } catch (error) {
      if (signal?.aborted === true) return;
      if (connection.isClosed) throw isClosed(connection.description);
      const isConnectionLost = error instanceof UnavailableError && error.code === 'ERR_CALI_DATASTORE_UNAVAILABLE';
      failures += 1;
      if (!isConnectionLost || failures > connection.endpointCount) throw error;
      isResumed ||= reader.hasBegun;
    }
  }
}
