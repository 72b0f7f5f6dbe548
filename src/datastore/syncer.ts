import type { Kind } from '../api/registry.js';
import type { ResourceUpdate } from '../api/resource-update.js';
import { type Clock, sleep, systemClock, TimeSlice } from '../base/clock.js';
import { CalicoError, UnavailableError } from '../base/errors.js';
import { type Backoff, backoffDelayMs, type Random } from '../base/retry.js';
import { audit, WATCH_LOST } from './audit.js';
import type { Datastore, WatchBatch } from './datastore.js';
import { COMPACTED } from './errors.js';
import { isLaterRevision, Snapshot } from './snapshot.js';
import { MAX_UPDATES, SyncerChannel } from './syncer-channel.js';
import { nextStatus, type SyncerOccurrence, type SyncerStatus } from './syncer-states.js';

/** What a syncer tells its reader. Updates reach it before the status that they complete. */
export type SyncerEvent =
  /** `reason`: why it waits, resyncs, or what it cannot read; its message is fit for people. */
  | { readonly type: 'status'; readonly status: SyncerStatus; readonly reason?: CalicoError }
  /** At most 1,000, in the order they happened; those of a list in no order of time. */
  | { readonly type: 'updates'; readonly updates: readonly ResourceUpdate[] };

export interface SyncerOptions {
  readonly datastore: Datastore;
  /** Listed in this order. */
  readonly kinds: readonly Kind[];
  readonly clock?: Clock;
  readonly random?: Random;
  /** Between comparisons of keys and revisions with the store; default 10 min, a fifth more or less. */
  readonly auditIntervalMs?: number;
}

const BACKOFF: Backoff = { initialMs: 500, maxMs: 5_000 };
const AUDIT_INTERVAL_MS = 600_000;
/** A watch that was resumed is looked at sooner: losses gather around cuts. */
const AUDIT_AFTER_RESUME_MS = 10_000;
/** A store that compacts all the time must not make us list all the time. */
const MIN_LIST_INTERVAL_MS = 500;
/** Far below the 50 ms that no turn of the event loop may exceed: the reader's own work comes on top. */
const TURN_MS = 10;

/**
 * Keeps a reader told of every object of some kinds: all that there is, then each change, and after any loss exactly the differences.
 * It never gives up: while the store is away it says so, and why.
 *
 * @example for await (const event of new Syncer({ datastore, kinds: ['Tier', 'NetworkPolicy'] }).run(signal)) …
 */
export class Syncer {
  readonly #options: SyncerOptions;

  constructor(options: SyncerOptions) {
    this.#options = options;
  }

  /** Begins anew with each call. Returns quietly when the signal aborts; throws only for bugs. */
  async *run(signal: AbortSignal): AsyncGenerator<SyncerEvent> {
    const stop = new AbortController();
    const channel = new SyncerChannel();
    const ended = AbortSignal.any([signal, stop.signal]);
    const session = new Session(this.#options, channel, ended);
    const end = (): void => channel.end();
    ended.addEventListener('abort', end, { once: true });
    const done = session.run().then(end, (error: unknown) => channel.fail(error));
    const slice = new TimeSlice(this.#options.clock ?? systemClock, TURN_MS);
    try {
      for (;;) {
        const event = await channel.next();
        if (event === undefined) return;
        yield event;
        await slice.pause();
      }
    } finally {
      stop.abort();
      await done;
    }
  }
}

/** One run: the loop of listing, following, waiting. */
class Session {
  readonly #datastore: Datastore;
  readonly #kinds: readonly Kind[];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #auditIntervalMs: number;
  readonly #channel: SyncerChannel;
  readonly #signal: AbortSignal;
  readonly #snapshot = new Snapshot();
  #status: SyncerStatus = 'listing';
  /** A complete list was read once. */
  #hasSnapshot = false;
  /** Everything up to here was sent; undefined when a list is needed. */
  #position: string | undefined;
  #failures = 0;
  #unreachableSinceMs: number | undefined;
  #lastListMs = Number.NEGATIVE_INFINITY;

  constructor(options: SyncerOptions, channel: SyncerChannel, signal: AbortSignal) {
    this.#datastore = options.datastore;
    this.#kinds = options.kinds;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#auditIntervalMs = options.auditIntervalMs ?? AUDIT_INTERVAL_MS;
    this.#channel = channel;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    await this.#channel.send({ type: 'status', status: this.#status });
    while (!this.#signal.aborted) {
      try {
        this.#position ??= await this.#list();
        await this.#follow(this.#position);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!(error instanceof CalicoError)) throw error;
        await this.#recover(error);
      }
    }
  }

  async #enter(occurrence: SyncerOccurrence, reason?: CalicoError): Promise<void> {
    this.#status = nextStatus(this.#status, occurrence, this.#hasSnapshot);
    await this.#channel.send({ type: 'status', status: this.#status, ...(reason === undefined ? {} : { reason }) });
  }

  /** Reads everything as of one revision, sends what is new. Returns that revision. */
  async #list(): Promise<string> {
    if (this.#status === 'waiting') await this.#enter('retry');
    const tooSoonMs = this.#lastListMs + MIN_LIST_INTERVAL_MS - this.#clock.monotonicMs();
    if (tooSoonMs > 0) await sleep(this.#clock, tooSoonMs, this.#signal);
    this.#lastListMs = this.#clock.monotonicMs();
    let revision: string | undefined;
    for (const kind of this.#kinds) revision = await this.#listKind(kind, revision);
    this.#hasSnapshot = true;
    return revision ?? '0';
  }

  async #listKind(kind: Kind, revision: string | undefined): Promise<string> {
    const at = revision === undefined ? {} : { revision };
    const listing = this.#snapshot.list(kind);
    let listed = '0';
    for await (const piece of this.#datastore.listPieces(kind, { signal: this.#signal, ...at })) {
      listed = piece.revision;
      await this.#send(listing.take(piece));
      for (const { reason } of piece.invalid) await this.#complain(reason);
    }
    await this.#send(listing.end(listed));
    return listed;
  }

  async #send(updates: readonly ResourceUpdate[]): Promise<void> {
    for (let from = 0; from < updates.length; from += MAX_UPDATES) {
      await this.#channel.send({ type: 'updates', updates: updates.slice(from, from + MAX_UPDATES) });
    }
  }

  async #complain(reason: string): Promise<void> {
    const error = new CalicoError('ERR_CALI_DATASTORE_INVALID', `${reason}; treated as deleted`);
    await this.#channel.send({ type: 'status', status: this.#status, reason: error });
  }

  /** Watches and audits until one of them throws. */
  async #follow(position: string): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const both = [this.#watch(position, signal), this.#auditNowAndThen(signal)];
    try {
      await Promise.race(both);
    } finally {
      stop.abort();
      await Promise.allSettled(both);
    }
  }

  async #watch(position: string, signal: AbortSignal): Promise<void> {
    for await (const batch of this.#datastore.watch(this.#kinds, { afterRevision: position, signal })) {
      if (this.#status !== 'in-sync') await this.#enter(this.#status === 'waiting' ? 'resumed' : 'listed');
      this.#failures = 0;
      this.#unreachableSinceMs = undefined;
      await this.#pass(batch);
    }
  }

  async #pass(batch: WatchBatch): Promise<void> {
    const position = this.#position ?? '0';
    // A store that repeats itself or is late is not believed: what was sent stays sent.
    const news = batch.events.filter((event) => isLaterRevision(event.revision, position));
    if (isLaterRevision(batch.revision, position)) this.#position = batch.revision;
    if (news.length === 0) return;
    await this.#channel.send({ type: 'updates', updates: news.map((event) => this.#snapshot.apply(event)) });
    for (const event of news) if (event.type === 'invalid') await this.#complain(event.reason);
  }

  async #auditNowAndThen(signal: AbortSignal): Promise<void> {
    const jitter = 0.8 + 0.4 * this.#random();
    let delayMs = this.#status === 'waiting' ? AUDIT_AFTER_RESUME_MS : this.#auditIntervalMs * jitter;
    for (;;) {
      await sleep(this.#clock, delayMs, signal);
      if (signal.aborted) return;
      try {
        const { datastore, kinds, snapshot, clock } = this.#audited;
        await audit({ datastore, kinds, snapshot, clock, signal });
      } catch (error) {
        // That the store cannot be reached is for the watch to find.
        if (signal.aborted || !(error instanceof UnavailableError)) throw error;
      }
      delayMs = this.#auditIntervalMs * jitter;
    }
  }

  get #audited() {
    return { datastore: this.#datastore, kinds: this.#kinds, snapshot: this.#snapshot, clock: this.#clock };
  }

  async #recover(error: CalicoError): Promise<void> {
    if (error.code === COMPACTED || error.code === WATCH_LOST) {
      this.#position = undefined;
      await this.#enter('gap', error);
    } else if (error.code !== 'ERR_CALI_DATASTORE_SLOW_READER') {
      await this.#wait(error);
    }
  }

  async #wait(error: CalicoError): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#unreachableSinceMs ??= nowMs;
    const delayMs = backoffDelayMs(this.#failures, BACKOFF, this.#random);
    this.#failures += 1;
    await this.#enter('unavailable', waitingReason(error, nowMs - this.#unreachableSinceMs, delayMs));
    await sleep(this.#clock, delayMs, this.#signal);
  }
}

/** `waiting for etcd at https://192.0.2.10:2379: connection refused, 14 s so far, next try in 2 s` */
function waitingReason(error: CalicoError, waitedMs: number, delayMs: number): UnavailableError {
  const what = error instanceof UnavailableError ? `waiting for ${error.message}` : `waiting: ${error.message}`;
  const soFar = waitedMs < 1_000 ? '' : `, ${Math.round(waitedMs / 1_000)} s so far`;
  const text = `${what}${soFar}, next try in ${Math.max(1, Math.ceil(delayMs / 1_000))} s`;
  return new UnavailableError(error.code, text, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
