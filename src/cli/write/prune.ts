import type { PublicKind } from '../../api/registry.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { BUILT_IN_TIERS } from '../../api/kinds/tier.js';
import { defaultAllowProfile } from '../../api/kinds/profile.js';
import { formatKeyPath } from '../../api/keys.js';
import { CalicoError, NotFoundError, UnavailableError } from '../../base/errors.js';
import { type Client, resourceId } from '../../client/client.js';
import { compileSelector } from '../../selector/evaluate.js';
import type { Selector } from '../../selector/ast.js';
import { parseSelector } from '../../selector/parser.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { countsOf, describeFailure, formatFailure, INTERRUPTED, successMessage } from '../messages.js';
import { readOnlyReason } from '../named-resource.js';
import { type Block, line, type Result } from '../result.js';
import { selectedLabels } from '../selected-labels.js';

/**
 * `--prune -l SELECTOR`: what to look for besides what the files describe; undefined without `--prune`.
 *
 * @throws {CalicoError} one without the other, or a selector that cannot be read
 */
export function pruneSelector(call: Call): Selector | undefined {
  const text = (textOption(call, 'selector') ?? '').trim();
  if (!flag(call, 'prune')) {
    if (call.options['selector'] === undefined) return undefined;
    throw new CalicoError('ERR_CALI_CLI_USAGE', '-l goes with --prune only: the files say what is applied');
  }
  if (text === '') {
    throw new CalicoError('ERR_CALI_CLI_USAGE', '--prune needs a selector: it deletes what matches and is in no file', {
      hint: `label what belongs together and name it: --prune -l "app == 'web'"`,
    });
  }
  return parseSelector(text);
}

/** What others refer to goes after those who do; kinds that stand nowhere here go in between. */
const GO_FIRST: readonly string[] = [
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'BGPPeer',
  'WorkloadEndpoint',
  'HostEndpoint',
];
const GO_LAST: readonly string[] = ['Profile', 'BGPFilter', 'Tier', 'IPPool', 'Node'];

function rank(kind: string): number {
  if (GO_FIRST.includes(kind)) return GO_FIRST.indexOf(kind) - GO_FIRST.length;
  return GO_LAST.indexOf(kind) + 1;
}

/** What every cluster has, or only the system writes: no selector means that. */
function isProtected(key: ResourceKey): boolean {
  if (readOnlyReason('delete', key) !== undefined) return true;
  if (key.kind === 'Tier') return Object.hasOwn(BUILT_IN_TIERS, key.name);
  return key.kind === 'Profile' && key.name === defaultAllowProfile.metadata.name;
}

/** Of the kinds and namespaces of what was applied: what the selector matches and was not applied. In an order in which it can go. */
async function superfluous(
  client: Client,
  applied: readonly ResourceKey<PublicKind>[],
  selector: Selector,
): Promise<readonly ResourceKey<PublicKind>[]> {
  const matches = compileSelector(selector);
  const kept = new Set(applied.map(formatKeyPath));
  const places = new Map(applied.map(({ kind, namespace }) => [`${kind} ${namespace ?? ''}`, { kind, namespace }]));
  const lists = await Promise.all([...places.values()].map(({ kind, namespace }) => client.list(kind, namespace)));
  return lists
    .flat()
    .filter((stored) => !kept.has(formatKeyPath(stored.key)) && !isProtected(stored.key))
    .filter((stored) => matches(selectedLabels(stored)))
    .map(({ key }) => key)
    .toSorted((a, b) => rank(a.kind) - rank(b.kind));
}

interface Pruning {
  readonly client: Client;
  readonly applied: readonly ResourceKey<PublicKind>[];
  readonly selector: Selector;
  readonly call: Call;
  readonly context: Context;
}

/** Deletes what is superfluous once all files are applied, one by one; what fails does not keep the rest. */
export async function prune({ client, applied, selector, call, context }: Pruning): Promise<Result> {
  const keys = await superfluous(client, applied, selector);
  const output: Block[] = [];
  const errors: string[] = [];
  const pruned: ResourceKey[] = [];
  for (const key of keys) {
    if (context.signal.aborted) {
      errors.push(formatFailure(INTERRUPTED));
      break;
    }
    try {
      await client.delete(key);
      pruned.push(key);
      if (!flag(call, 'dryRun')) output.push(line(`Pruned ${resourceId(key)}`));
    } catch (error) {
      // Somebody else was quicker: it is gone, as it should be.
      if (error instanceof NotFoundError) continue;
      const failure = describeFailure(error, key);
      errors.push(formatFailure({ ...failure, text: `failed to prune '${key.kind}' resource: ${failure.text}` }));
      // The rest would each wait for the same datastore.
      if (error instanceof UnavailableError) break;
    }
  }
  output.push(line(successMessage('pruned', countsOf(pruned, call))));
  return { output, errors };
}
