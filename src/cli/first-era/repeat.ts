import { ConflictError } from '../../base/errors.js';

const TRIES = 5;

/**
 * Reads, changes and writes an object; again when somebody else was quicker.
 *
 * @param edit reads anew each time, and writes with the revision it read
 * @throws {ConflictError} somebody was quicker five times in a row
 */
export async function repeatOnConflict<T>(edit: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await edit();
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= TRIES) throw error;
    }
  }
}
