import { afterEach, beforeEach, describe } from 'vitest';
import { describeCommits } from './commits.contract.js';
import type { DatastoreHarness } from './datastore-harness.fake.js';
import { describeLists } from './lists.contract.js';
import { describeObjects } from './objects.contract.js';
import { describeWatch } from './watch.contract.js';

/** The promises of `Datastore`, which every backend keeps. */
export function describeDatastore(name: string, start: () => Promise<DatastoreHarness>): void {
  describe(`Datastore: ${name}`, () => {
    let harness: DatastoreHarness;

    beforeEach(async () => {
      harness = await start();
    });

    afterEach(async () => {
      await harness.stop();
    });

    const current = (): DatastoreHarness => harness;
    describeObjects(current);
    describeLists(current);
    describeCommits(current);
    describeWatch(current);
  });
}
