import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { CalicoctlFake } from './calicoctl.fake.js';

/** A store that no longer answers reads once `isStuck`; Ctrl-C comes with the next one. */
function stuckStore() {
  const store = new MemoryDatastore();
  const enough = new AbortController();
  const state = { isStuck: false };
  const never = <T>(): Promise<T> => {
    setImmediate(() => enough.abort());
    return new Promise(() => undefined);
  };
  const [get, list] = [store.get.bind(store), store.list.bind(store)];
  store.get = (...what) => (state.isStuck ? never() : get(...what));
  store.list = (...what) => (state.isStuck ? never() : list(...what));
  const calicoctl = new CalicoctlFake(store, { signal: enough.signal, environment: { CALICOCTL_NO_NOTES: '1' } }).type;
  return { store, state, calicoctl };
}

const sets = ['a', 'b']
  .map((name) => `{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: ${name}}, spec: {}}\n`)
  .join('---\n');

describe('Ctrl-C', () => {
  test.each([
    'get ippool',
    'profile show',
    'pool add 192.0.2.0/24',
    'node show',
    'ipam show',
    'endpoint show --detailed',
  ])('ends "%s" while the datastore does not answer', async (line) => {
    const { state, calicoctl } = stuckStore();
    state.isStuck = true;
    expect(await calicoctl(line)).toEqual({ status: 130, stdout: '', stderr: 'interrupted\n' });
  });

  test.each(['apply -f -', 'delete -f -', 'replace -f -', 'get -f -', 'patch gnetset a -p {}', 'get gnetset a b'])(
    'is told once by "%s"',
    async (line) => {
      const { state, calicoctl } = stuckStore();
      state.isStuck = true;
      expect(await calicoctl(line, sets)).toEqual({ status: 130, stdout: '', stderr: 'interrupted\n' });
    },
  );

  test('waits for a command that has written something', async () => {
    const enough = new AbortController();
    const store = new MemoryDatastore();
    const calicoctl = new CalicoctlFake(store, { signal: enough.signal, environment: { CALICOCTL_NO_NOTES: '1' } })
      .type;
    await calicoctl('pool add 192.0.2.0/24');
    const update = store.update.bind(store);
    store.update = (...what) => {
      enough.abort();
      return update(...what);
    };
    const steps = 'Disabling IP Pool\nRemoving IPAM configuration for pool\nDeleted IP Pool\n';
    expect(await calicoctl('pool remove 192.0.2.0/24')).toEqual({ status: 0, stdout: steps, stderr: '' });
    expect((await store.list('IPPool')).items).toEqual([]);
  });
});
