import { FakeClock } from '../../base/clock.fake.js';
import { describeDatastore } from '../datastore.contract.js';
import { MemoryDatastore } from './memory-datastore.js';

describeDatastore('memory', () => {
  const clock = new FakeClock();
  const datastore = new MemoryDatastore({ clock, watchBufferEvents: 10 });
  return Promise.resolve({
    datastore,
    putRaw: (path, text) => Promise.resolve(datastore.putRaw(path, text)),
    compact: () => Promise.resolve(datastore.compact()),
    pass: (seconds) => clock.advance(seconds * 1_000),
    openSlowReader: () => Promise.resolve(datastore),
    stop: () => datastore[Symbol.asyncDispose](),
  });
});
