import type { Context } from '../command.js';
import type { Result } from '../result.js';
import { addContainer, type ContainerCall, removeContainer } from './container-attach.js';
import { addIp, removeIp } from './container-ip.js';
import { type ContainerKernel, thisKernel, unchangedKernel } from './container-kernel.js';
import { type ContainerPlace, findContainer } from './container-place.js';
import { endpointsOf, findForgotten, unknownContainer } from './container-store.js';
import { changeProfiles, detailedTable } from './endpoints.js';
import type { CONTAINER } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { refuseNonRoot, thisNode } from './this-host.js';

/** What reaches beyond the datastore, so that tests can stand in for it. */
export interface ContainerWorld {
  readonly kernel: ContainerKernel;
  readonly find: (typed: string, context: Context) => Promise<ContainerPlace | undefined>;
}

async function showEndpoints({ client, node, place }: ContainerCall): Promise<Result> {
  const endpoints = await endpointsOf(client, node, place);
  if (endpoints.length === 0) return unknownContainer(place.typed);
  return { output: [await detailedTable(client, endpoints)] };
}

function changing(verb: 'append' | 'remove' | 'set') {
  return async ({ call, client, node, place }: ContainerCall): Promise<Result> => {
    const endpoints = await endpointsOf(client, node, place);
    const [endpoint] = endpoints;
    if (endpoint === undefined) return unknownContainer(place.typed);
    if (endpoints.length === 1) return changeProfiles(client, endpoint, verb, call.list('profiles'));
    return {
      output: [await detailedTable(client, endpoints)],
      errors: [`${place.typed} has several endpoints.\n  hint: choose one with: calicoctl endpoint ID profile ${verb}`],
    };
  };
}

/** The commands of `container` in a world. */
export function containerCommands(world: ContainerWorld): FormHandlers<typeof CONTAINER.forms> {
  const on =
    (work: (subject: ContainerCall) => Promise<Result>) =>
    async (call: TypedCall, context: Context): Promise<Result> => {
      const refusal = refuseNonRoot();
      if (refusal !== undefined) return refusal;
      const typed = call.word('container');
      const node = await thisNode(context);
      const found = await world.find(typed, context);
      const client = await context.connect();
      const place = found ?? (await findForgotten(client, node, typed));
      if (place === undefined) return { errors: [`Container ${typed} was not found.`] };
      const kernel = call.has('dryRun') ? unchangedKernel(world.kernel) : world.kernel;
      return work({ call, context, client, kernel, node, place });
    };
  return {
    add: on(addContainer),
    remove: on(removeContainer),
    'ip add': on(addIp),
    'ip remove': on(removeIp),
    'endpoint show': on(showEndpoints),
    'profile append': on(changing('append')),
    'profile remove': on(changing('remove')),
    'profile set': on(changing('set')),
  };
}

export const containerHandlers = containerCommands({ kernel: thisKernel, find: findContainer });
