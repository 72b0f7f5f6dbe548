import { type Clock, sleep } from '../base/clock.js';
import { CalicoError, ConflictError, UnavailableError } from '../base/errors.js';
import type { Random } from '../base/retry.js';
import type { Datastore } from '../datastore/datastore.js';
import { IpamCache, IpamTransaction, LostRaceError } from './transaction.js';

/** Tries of one operation that keeps losing races. */
const MAX_ATTEMPTS = 100;
/** Writes after which a commit takes no further operation in; one operation adds a dozen at most, and 100 fit. */
const ENOUGH_WRITES = 80;
/** Longest wait after a lost race. */
const MAX_PAUSE_MS = 50;

interface Waiting {
  readonly work: (transaction: IpamTransaction) => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
  needsFresh: boolean;
  result: unknown;
}

/**
 * Runs operations on blocks and handles. Those that arrive while a commit is on its way are committed together by the next one, so
 * that a host does not race against itself and a burst of requests costs few round trips.
 *
 * Where commits are not atomic each operation is committed alone, in the order of its writes.
 */
export class GroupCommit {
  readonly #datastore: Datastore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #cache = new IpamCache();
  #queue: Waiting[] = [];
  #isRunning = false;

  constructor(datastore: Datastore, clock: Clock, random: Random) {
    this.#datastore = datastore;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Does the work and commits what it wrote; does it again when somebody else was faster, so it must have no other effects.
   *
   * @throws whatever the work throws (nothing is written then), or ConflictError after 100 lost races
   */
  run<T>(work: (transaction: IpamTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (result: unknown): void => resolve(result as T);
      this.#queue.push({ work, resolve: settle, reject, attempts: 0, needsFresh: false, result: undefined });
      if (!this.#isRunning) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isRunning = true;
    // A turn's worth of requests goes into the first commit already.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#commitNext();
    this.#isRunning = false;
  }

  async #commitNext(): Promise<void> {
    const isFresh = this.#queue[0]?.needsFresh ?? false;
    const transaction = new IpamTransaction(this.#datastore, this.#cache, isFresh);
    const group = await this.#gather(transaction);
    if (group.length === 0) return;
    try {
      await transaction.commit();
      for (const waiting of group) waiting.resolve(waiting.result);
    } catch (error) {
      if (error instanceof LostRaceError) await this.#again(group, error);
      else for (const waiting of group) waiting.reject(error);
    }
  }

  /** Does the work of as many as fit; those whose work was done wait for the commit. */
  async #gather(transaction: IpamTransaction): Promise<Waiting[]> {
    const group: Waiting[] = [];
    const limit = this.#datastore.atomicCommits ? Number.POSITIVE_INFINITY : 1;
    while (group.length < limit && transaction.writes < ENOUGH_WRITES) {
      const waiting = this.#queue[0];
      if (waiting === undefined || (waiting.needsFresh && !transaction.isFresh)) break;
      this.#queue.shift();
      if (await this.#work(waiting, transaction)) group.push(waiting);
    }
    return group;
  }

  async #work(waiting: Waiting, transaction: IpamTransaction): Promise<boolean> {
    const savepoint = transaction.savepoint();
    try {
      waiting.result = await waiting.work(transaction);
      return true;
    } catch (error) {
      transaction.rollback(savepoint);
      // A refusal that rests on remembered facts is looked at again.
      const mayBeOld = error instanceof CalicoError && !(error instanceof UnavailableError) && transaction.hasUsedCache;
      if (mayBeOld && !waiting.needsFresh) {
        waiting.needsFresh = true;
        this.#queue.unshift(waiting);
      } else {
        waiting.reject(error);
      }
      return false;
    }
  }

  async #again(group: readonly Waiting[], error: LostRaceError): Promise<void> {
    for (const waiting of group.toReversed()) {
      waiting.attempts += 1;
      waiting.needsFresh = true;
      if (waiting.attempts < MAX_ATTEMPTS) this.#queue.unshift(waiting);
      else waiting.reject(new ConflictError(error.code, `${error.message}; gave up after ${MAX_ATTEMPTS} tries`));
    }
    const attempts = group[0]?.attempts ?? 0;
    if (attempts > 1) await sleep(this.#clock, this.#random() * Math.min(MAX_PAUSE_MS, 2 ** attempts));
  }
}
