import { describeKey } from '../api/keys.js';
import type { ResourceKey } from '../api/resource-update.js';
import {
  AlreadyExistsError,
  CalicoError,
  ConflictError,
  NotFoundError,
  UnavailableError,
  UnsupportedError,
  ValidationError,
} from '../base/errors.js';

/** The history that a watch or a list asked for is gone: list again. */
export const COMPACTED = 'ERR_CALI_DATASTORE_COMPACTED';

export function doesNotExist(key: ResourceKey): NotFoundError {
  return new NotFoundError('ERR_CALI_DATASTORE_NOT_FOUND', `${describeKey(key)} does not exist`);
}

export function existsAlready(key: ResourceKey): AlreadyExistsError {
  return new AlreadyExistsError('ERR_CALI_DATASTORE_EXISTS', `${describeKey(key)} exists already`);
}

/** A compare-and-swap lost. `stored` is the revision that won. */
export function hasChanged(key: ResourceKey, yours: string, stored: string): ConflictError {
  return new ConflictError(
    'ERR_CALI_DATASTORE_CONFLICT',
    `${describeKey(key)} changed since you read it (yours: revision ${yours}, stored: ${stored})`,
    { hint: 'get it again, repeat your edit, replace' },
  );
}

export function isCompacted(description: string, revision: string, cause?: unknown): ConflictError {
  return new ConflictError(COMPACTED, `${description} no longer keeps its history after revision ${revision}`, {
    hint: 'list again and watch from there',
    cause,
  });
}

/** The store is older than what was read from it: restored from a backup, or another store. The remedy is that of compaction. */
export function wentBack(description: string, revision: string, stored: string): ConflictError {
  return new ConflictError(
    COMPACTED,
    `${description} went back from revision ${revision} to ${stored}: it was restored or replaced`,
    { hint: 'list again and watch from there' },
  );
}

export function readsTooSlowly(description: string, buffered: number): UnavailableError {
  return new UnavailableError(
    'ERR_CALI_DATASTORE_SLOW_READER',
    `watch of ${description} cut: ${buffered} changes wait to be read`,
    { hint: 'watch again from the last revision read' },
  );
}

export function isClosed(description: string): UnavailableError {
  return new UnavailableError('ERR_CALI_DATASTORE_CLOSED', `${description} is closed`);
}

/** Revisions are decimal text. @throws {ValidationError} `ERR_CALI_DATASTORE_REVISION` */
export function parseRevision(text: string): bigint {
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  const message = `"${text}" is not a revision: it is not a decimal number`;
  throw new ValidationError('ERR_CALI_DATASTORE_REVISION', message, [
    { code: 'revision', path: 'metadata.resourceVersion', message },
  ]);
}

export function isBuiltIn(key: ResourceKey): UnsupportedError {
  return new UnsupportedError(
    'ERR_CALI_DATASTORE_BUILT_IN',
    'writing built-in objects',
    `${describeKey(key)} is built in: it can be neither written nor deleted`,
  );
}

export function commitIsBad(why: string): CalicoError {
  return new CalicoError('ERR_CALI_DATASTORE_COMMIT', `commit refused: ${why}`);
}
