import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../base/errors.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { CalicoctlFake, refused } from './calicoctl.fake.js';
import { run } from './main.js';

const TIER = '{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: a}, spec: {order: 1}}';

describe('options of every command', () => {
  test('may stand before the command or after it', async () => {
    const calicoctl = new CalicoctlFake();
    for (const words of [
      ['--allow-version-mismatch', '-l', 'error', '--context', 'x', 'get', 'tier'],
      ['get', 'tier', '--allow-version-mismatch', '--log-level=error', '--context=x'],
      ['-c', '/etc/calico/calicoctl.cfg', 'get', '-l', 'panic', 'tier'],
    ]) {
      expect(await calicoctl.run(words)).toMatchObject({ status: 0, stderr: '' });
    }
  });

  test('a level that there is not is refused', async () => {
    expect(await new CalicoctlFake().run(['-l', 'loud', 'get', 'tier'])).toEqual(
      refused('Unknown log level: loud, expected one of: panic, fatal, error, warn, info, debug\n'),
    );
  });

  test('at debug each request to the datastore is logged, with its key and without its value', async () => {
    const { status, stdout, stderr } = await new CalicoctlFake().run(['apply', '-f', '-', '-l', 'debug'], TIER);
    expect([status, stdout]).toEqual([0, "Successfully applied 1 'Tier' resource(s)\n"]);
    expect(stderr).toMatch(
      /^[-\d]+ [\d:.]+ \[DEBUG\]\[\d+\] datastore create at=\/calico\/resources\/v3\/projectcalico\.org\/tiers\/a tookMs=[\d.]+$/m,
    );
    expect(stderr).not.toContain('order');
  });

  test('at warn it says what it passes over', async () => {
    const store = new MemoryDatastore();
    const list = store.list.bind(store);
    store.list = async (kind, options) => {
      const listed = await list(kind, options);
      const invalid = [{ key: { kind, name: 'broken' }, revision: '1', reason: 'it is not JSON' }];
      return { ...listed, invalid };
    };
    const { stdout, stderr } = await new CalicoctlFake(store).run(['get', 'tier', '--log-level', 'warn']);
    expect(stdout).toMatch(/^NAME/);
    expect(stderr).toMatch(/\[WARN\]\[\d+\] passed over at=\S+\/tiers\/broken reason="it is not JSON"\n$/);
  });

  test('a request that fails is logged, and told once more in words', async () => {
    const store = new MemoryDatastore();
    store.get = () => Promise.reject(new UnavailableError('ERR', 'etcd at http://127.0.0.1:1: connection refused'));
    const { status, stderr } = await new CalicoctlFake(store).run(['get', 'tier', 'a', '-l', 'debug']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/datastore get failed: etcd at http:\/\/127\.0\.0\.1:1: connection refused at=/);
    expect(stderr).toMatch(/^failed to get resources: etcd at /m);
  });
});

describe('the name of the program', () => {
  async function runAs(program: string, words: readonly string[]) {
    let said = '';
    const say = (text: string) => (said += text);
    const nothing = () => Promise.resolve('');
    const surroundings = { environment: {}, program, readFile: nothing, readStdin: nothing, stdout: say, stderr: say };
    return { status: await run(words, surroundings), said };
  }

  test('is that of the kubectl plug-in where it was called so', async () => {
    const { status, said } = await runAs('kubectl-calico', ['get', '--help']);
    expect([status, said.split('\n')[0]]).toEqual([0, 'Usage: kubectl calico get [options] [kind] [names...]']);
  });

  test.each([
    { words: ['get', 'ippool', '--output=ya'], offered: 'yaml' },
    { words: ['profile', 'x', 'rule', 'a'], offered: 'add' },
  ])('as that of its completions, completes $words', async ({ words, offered }) => {
    const { status, said } = await runAs('kubectl_complete-calico', words);
    expect([status, said.split('\n')[0]]).toEqual([0, offered]);
  });
});
