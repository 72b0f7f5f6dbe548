import { describe, expect, test } from 'vitest';
import { endpointStatusName } from '../../api/felix-status-names.js';
import type { Datastore } from '../../datastore/datastore.js';
import { CalicoctlFake, ok, refused } from '../calicoctl.fake.js';
import { ADDRESS_STORIES } from './address-stories.contract.js';
import { BGP_STORIES } from './bgp-stories.contract.js';
import { ENDPOINT_STORIES, endpointYaml } from './endpoint-stories.contract.js';
import { PROFILE_STORIES } from './profile-stories.contract.js';
import type { Stories } from './story.contract.js';

/** Runs calicoctl on a datastore, as on the host `calico-01`. */
export function firstEra(datastore: Datastore, environment: Readonly<Record<string, string>> = {}) {
  return new CalicoctlFake(datastore, {
    environment: { CALICOCTL_NO_NOTES: '1', NODENAME: 'calico-01', ...environment },
  }).type;
}

const STORIES: Stories = { ...ADDRESS_STORIES, ...PROFILE_STORIES, ...BGP_STORIES, ...ENDPOINT_STORIES };

/** The tables of the first era, on whatever keeps resources. */
export function describeFirstEra(name: string, open: () => Promise<Datastore>): void {
  describe(`calicoctl of the first era on ${name}`, () => {
    test.each(Object.keys(STORIES))('%s', async (story) => {
      const calicoctl = firstEra(await open());
      for (const [command, expected, stdin] of STORIES[story] ?? []) {
        const wanted = typeof expected === 'string' ? ok(expected) : refused(expected.refused);
        expect(await calicoctl(command, stdin), `calicoctl ${command}`).toEqual(wanted);
      }
    });

    test('an endpoint that is not the only one of its name must be told by more', async () => {
      const calicoctl = firstEra(await open());
      for (const node of ['calico-01', 'calico-02']) {
        const yaml = endpointYaml({
          node,
          orchestrator: 'docker',
          workload: 'web',
          endpoint: 'e1',
          address: '10.0.0.1',
        });
        await calicoctl('create -f -', yaml);
      }
      const { status, stdout, stderr } = await calicoctl('endpoint e1 profile set');
      expect([status, stdout.split('\n').length, stderr.split('\n')[0]]).toEqual([
        1,
        7,
        'More than 1 endpoint matches "e1".',
      ]);
      expect((await calicoctl('endpoint e1 profile set --host calico-02')).status).toBe(0);
    });

    test("shows an endpoint's state as its agent tells it, and as active where none does", async () => {
      const datastore = await open();
      const calicoctl = firstEra(datastore);
      const endpoints = [
        { node: 'calico-01', workload: 'db', status: 'down', region: '' },
        { node: 'calico-02', workload: 'web', status: 'error', region: 'east' },
        { node: 'calico-03', workload: 'mail', status: 'up', region: '' },
        { node: 'calico-04', workload: 'silent', status: undefined, region: '' },
      ];
      for (const { node, workload, status, region } of endpoints) {
        const named = { node, orchestrator: 'docker', workload, endpoint: 'e1' };
        await calicoctl('create -f -', endpointYaml({ ...named, address: '10.0.0.1' }));
        const name = endpointStatusName(region, node, { ...named, workload: `default/${workload}` });
        if (status !== undefined) await datastore.put({ kind: 'FelixStatus', name }, { status });
      }
      const { stdout } = await calicoctl('endpoint show --detailed');
      const states = [...stdout.matchAll(/calico-0.* (\w+) +\|$/gm)].map(([, state]) => state);
      expect(states).toEqual(['down', 'error', 'active', 'active']);
    });
  });
}
