import { expect } from 'vitest';
import type { Datastore } from './datastore.js';

/** An empty store, and the hands that reach behind the interface. */
export interface DatastoreHarness {
  readonly datastore: Datastore;
  /** Writes stored text as it stands. */
  putRaw(path: string, text: string): Promise<void>;
  /** Forgets the history up to now. */
  compact(): Promise<void>;
  /** Lets seconds of the store's time pass. */
  pass(seconds: number): Promise<void>;
  /** A second client of the same store, whose watches are cut at 10 waiting events. */
  openSlowReader(): Promise<Datastore>;
  stop(): Promise<void>;
}

/** The error that a call is refused with; a test fails where it is not. */
export function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error,
  );
}
