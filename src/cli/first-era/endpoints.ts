import type { WorkloadEndpoint } from '../../api/kinds/workload-endpoint.js';
import { convertProfileName } from '../../api/v1/names.js';
import type { Client } from '../../client/client.js';
import type { Stored } from '../../datastore/datastore.js';
import type { Context } from '../command.js';
import { type Block, line, type Result } from '../result.js';
import { identityCells, workloadOf } from './endpoint-identity.js';
import { readStates } from './endpoint-states.js';
import type { ENDPOINT } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { findProfile } from './profile-store.js';
import { Refusal } from './refusal.js';

export type StoredEndpoint = Stored<'WorkloadEndpoint'>;

/** All endpoints that the options of the call choose. */
async function chosenEndpoints(client: Client, call: TypedCall): Promise<readonly StoredEndpoint[]> {
  const wanted = {
    host: call.find('host'),
    orchestrator: call.find('orchestrator'),
    workload: call.find('workload'),
    endpoint: call.find('endpoint'),
  };
  const fits = (text: string | undefined, value: string) => text === undefined || text === value;
  return (await client.list('WorkloadEndpoint')).filter(
    ({ value }) =>
      fits(wanted.host, value.spec.node) &&
      fits(wanted.orchestrator, value.spec.orchestrator) &&
      fits(wanted.workload, workloadOf(value)) &&
      fits(wanted.endpoint, value.spec.endpoint ?? ''),
  );
}

function addressesOf({ spec }: WorkloadEndpoint): string {
  return (spec.ipNetworks ?? []).map((network) => network.replace(/\/\d+$/, '')).join(', ');
}

/** Each endpoint with all that the first era shows of it. */
export async function detailedTable(client: Client, endpoints: readonly StoredEndpoint[]): Promise<Block> {
  const stateOf = await readStates(client);
  return {
    type: 'box',
    headings: ['Hostname', 'Orchestrator ID', 'Workload ID', 'Endpoint ID', 'Addresses', 'MAC', 'Profiles', 'State'],
    rows: endpoints.map(({ value: endpoint }) => [
      ...identityCells(endpoint),
      addressesOf(endpoint),
      endpoint.spec.mac ?? '',
      (endpoint.spec.profiles ?? []).join(', '),
      stateOf(endpoint),
    ]),
    align: 'centre',
  };
}

function countTable(endpoints: readonly StoredEndpoint[]): Block {
  const groups = new Map<string, WorkloadEndpoint[]>();
  for (const { value: endpoint } of endpoints) {
    const key = `${endpoint.spec.node}\0${endpoint.spec.orchestrator}`;
    groups.set(key, [...(groups.get(key) ?? []), endpoint]);
  }
  const rows = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, members]) => {
      const workloads = new Set(members.map(workloadOf)).size;
      return [...key.split('\0'), String(workloads), String(members.length)];
    });
  return {
    type: 'box',
    headings: ['Hostname', 'Orchestrator ID', 'NumWorkloads', 'NumEndpoints'],
    rows,
    align: 'centre',
  };
}

async function show(call: TypedCall, context: Context): Promise<Result> {
  const client = await context.connectToRead();
  const endpoints = await chosenEndpoints(client, call);
  return { output: [call.has('detailed') ? await detailedTable(client, endpoints) : countTable(endpoints)] };
}

/** How a command changes an endpoint's profiles. */
interface ProfileChange {
  /** @returns the new list. @throws {Refusal} */
  readonly apply: (profiles: readonly string[]) => readonly string[];
  readonly done: string;
}

function listed(profiles: readonly string[]): string {
  return profiles.join(', ');
}

type Verb = 'append' | 'remove' | 'set';

/** Append, remove or set, in the words of the first era. */
function profileChange(verb: Verb, typed: readonly string[], names: readonly string[]): ProfileChange {
  switch (verb) {
    case 'append':
      return {
        apply(profiles) {
          const twice = names.find((name) => profiles.includes(name));
          if (twice !== undefined) throw new Refusal(`Profile ${twice} is already in endpoint profile list`);
          return [...profiles, ...names];
        },
        done: `Profile(s) ${listed(typed)} appended.`,
      };
    case 'remove':
      return {
        apply(profiles) {
          const absent = names.find((name) => !profiles.includes(name));
          if (absent !== undefined) throw new Refusal(`Profile ${absent} is not in endpoint profile list`);
          return profiles.filter((name) => !names.includes(name));
        },
        done: `Profile(s) ${listed(typed)} removed.`,
      };
    case 'set':
      return {
        apply: () => names,
        done: typed.length === 0 ? 'Removed all profiles from endpoint.' : `Profile(s) set to ${listed(typed)}.`,
      };
  }
}

/** Changes the profiles of one endpoint. One that does not exist is not given to it: it would let nothing through. */
export async function changeProfiles(
  client: Client,
  endpoint: StoredEndpoint,
  verb: Verb,
  typed: readonly string[],
): Promise<Result> {
  const found = await Promise.all(typed.map((name) => findProfile(client, name)));
  const missing = typed.filter((_, index) => found[index] === undefined);
  if (verb !== 'remove' && missing.length > 0) {
    return { errors: missing.map((name) => `Profile ${name} does not exist.`) };
  }
  const names = typed.map((name, index) => found[index]?.metadata.name ?? convertProfileName(name));
  const { apply, done } = profileChange(verb, typed, [...new Set(names)]);
  await client.change(endpoint.key, ({ spec, ...newest }) => ({
    ...newest,
    spec: { ...spec, profiles: apply(spec.profiles ?? []) },
  }));
  return { output: [line(done)] };
}

/** The one endpoint that was named, or why it is not one. */
async function theEndpoint(client: Client, call: TypedCall): Promise<StoredEndpoint | Result> {
  const id = call.word('id');
  const candidates = await chosenEndpoints(client, call);
  const found = candidates.filter(({ key, value }) => value.spec.endpoint === id || key.name === id);
  const [endpoint] = found;
  if (endpoint === undefined) return { errors: [`Could not find endpoint ${id}.`] };
  if (found.length === 1) return endpoint;
  return {
    output: [await detailedTable(client, found)],
    errors: [
      `More than 1 endpoint matches "${id}".\n  hint: give more of --host, --orchestrator and --workload, or the name that calicoctl get workloadendpoint -A shows`,
    ],
  };
}

function changing(verb: Verb) {
  return async (call: TypedCall, context: Context): Promise<Result> => {
    const client = await context.connect();
    const endpoint = await theEndpoint(client, call);
    return 'key' in endpoint ? changeProfiles(client, endpoint, verb, call.list('profiles')) : endpoint;
  };
}

async function showProfiles(call: TypedCall, context: Context): Promise<Result> {
  const endpoint = await theEndpoint(await context.connectToRead(), call);
  if (!('key' in endpoint)) return endpoint;
  const rows = (endpoint.value.spec.profiles ?? []).map((name) => [name]);
  return { output: [{ type: 'box', headings: ['Name'], rows, align: 'centre' }] };
}

export const endpointHandlers: FormHandlers<typeof ENDPOINT.forms> = {
  show,
  'profile show': showProfiles,
  'profile append': changing('append'),
  'profile remove': changing('remove'),
  'profile set': changing('set'),
};
