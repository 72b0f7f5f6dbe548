import type { PublicKind } from '../../api/registry.js';
import { resourceId } from '../../client/client.js';
import type { InputResource } from '../manifests/input.js';

/**
 * Kinds whose objects are judged by themselves, or by objects of kinds that are not of these: a policy by its tier, a peer by its filters.
 * In which order several of them are written makes no difference; of all others it does: pools may overlap, and a tier must be there
 * before its policies.
 */
const FREE_KINDS: ReadonlySet<PublicKind> = new Set<PublicKind>([
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'NetworkSet',
  'GlobalNetworkSet',
  'Profile',
  'WorkloadEndpoint',
  'HostEndpoint',
  'BGPPeer',
  'CalicoNodeStatus',
]);

/** Whether objects of the kind may be written in any order. */
export function isFreeKind(kind: PublicKind): boolean {
  return FREE_KINDS.has(kind);
}

/** Enough that a datastore a millisecond away is never waited for, and few enough that it does not notice. */
const AT_ONCE = 32;

/** Places in the list, in runs: all of a run may be written at once, and runs one after the other. */
export function writeRuns(resources: readonly Pick<InputResource, 'key'>[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  let run: number[] = [];
  let ids = new Set<string>();
  const close = () => {
    if (run.length > 0) runs.push(run);
    run = [];
    ids = new Set();
  };
  for (const [index, { key }] of resources.entries()) {
    const id = resourceId(key);
    const isFree = isFreeKind(key.kind);
    // The same object twice: the later one is to stay.
    if (!isFree || ids.has(id)) close();
    run.push(index);
    ids.add(id);
    if (!isFree) close();
  }
  close();
  return runs;
}

/**
 * Does something to each place of a run, several at a time.
 *
 * @param act returns false to have no further ones begun; it must not throw
 */
async function eachAtOnce(run: readonly number[], act: (index: number) => Promise<boolean>): Promise<boolean> {
  let goesOn = true;
  const left = run.values();
  const work = async (): Promise<void> => {
    for (const index of left) {
      if (!(await act(index))) goesOn = false;
      if (!goesOn) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, run.length) }, work));
  return goesOn;
}

/** Does something to every resource, in an order that means the same as theirs. @param act as in {@link eachAtOnce} */
export async function inOrder(
  resources: readonly Pick<InputResource, 'key'>[],
  act: (index: number) => Promise<boolean>,
): Promise<void> {
  for (const run of writeRuns(resources)) if (!(await eachAtOnce(run, act))) return;
}

/** The same one by one, for those who end at the first failure. */
export async function oneByOne(
  resources: readonly Pick<InputResource, 'key'>[],
  act: (index: number) => Promise<boolean>,
): Promise<void> {
  for (const index of resources.keys()) if (!(await act(index))) return;
}
