import { type DirectionOrder, evaluationOrder, type OrderedRules, type Stage } from '../../advice/evaluation-order.js';
import type { Cluster, EndpointKind, Fact } from '../../advice/cluster.js';
import { nearest } from '../../api/issues.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { CalicoError } from '../../base/errors.js';
import { resourceId } from '../../client/client.js';
import { effectNotices } from '../../client/kept-only.js';
import { formatAddress, tryParseAddress } from '../../net/address.js';
import { canonicalPrefix } from '../../net/prefix.js';
import { type Call, type Context, textOption } from '../command.js';
import { type Block, line, type Result } from '../result.js';
import { loadCluster } from '../write/write-advice.js';

type EndpointFact = Fact<EndpointKind>;

function endpointsOf(cluster: Cluster): readonly EndpointFact[] {
  return [...cluster.facts].filter(
    (fact): fact is EndpointFact => fact.kind === 'WorkloadEndpoint' || fact.kind === 'HostEndpoint',
  );
}

/** Words that name an endpoint: its name, with namespace, and for a workload that of its pod or container. */
function namesOf({ key, value }: EndpointFact): readonly string[] {
  if (value?.kind !== 'WorkloadEndpoint') return [key.name];
  const { pod, containerID, workload } = value.spec;
  const names = [key.name, pod, containerID, workload].filter((name): name is string => (name ?? '') !== '');
  return names.flatMap((name) => [name, `${key.namespace ?? ''}/${name}`]);
}

function addressesOf({ value }: EndpointFact): readonly string[] {
  const texts = value?.kind === 'WorkloadEndpoint' ? value.spec.ipNetworks : value?.spec.expectedIPs;
  return (texts ?? []).map(canonicalPrefix);
}

/** @throws {CalicoError} `ERR_CALI_CLI_ENDPOINT` none or several are meant */
function findEndpoint(cluster: Cluster, word: string, namespace: string | undefined): EndpointFact {
  const endpoints = endpointsOf(cluster);
  const address = tryParseAddress(word);
  const text = address && formatAddress(address);
  const found = endpoints.filter((endpoint) => {
    if (text !== undefined) return addressesOf(endpoint).some((each) => each.split('/')[0] === text);
    const isElsewhere = namespace !== undefined && endpoint.key.namespace !== namespace;
    return !isElsewhere && namesOf(endpoint).includes(word);
  });
  const [endpoint, ...others] = found;
  if (endpoint === undefined) throw noSuchEndpoint(word, endpoints);
  if (others.length === 0) return endpoint;
  const all = found.map(({ key }) => resourceId(key)).toSorted();
  throw new CalicoError('ERR_CALI_CLI_ENDPOINT', `"${word}" may be ${all.slice(0, 10).join(', ')}`, {
    hint: 'name one as NAMESPACE/NAME',
  });
}

function noSuchEndpoint(word: string, endpoints: readonly EndpointFact[]): CalicoError {
  const meant = nearest(
    word,
    endpoints.flatMap((endpoint) => namesOf(endpoint)),
  );
  const hint = meant === undefined ? 'see them with: calicoctl get workloadendpoint -A' : `did you mean "${meant}"?`;
  return new CalicoError('ERR_CALI_CLI_ENDPOINT', `there is no workload or host endpoint "${word}"`, { hint });
}

function nameOf(rules: OrderedRules): string {
  return resourceId(rules as ResourceKey);
}

/** TIER, POLICY, RULE, DOES. */
function rowsOfRules(place: string, rules: OrderedRules): readonly (readonly string[])[] {
  const name = nameOf(rules);
  if (rules.rules.length === 0) return [[place, name, '-', 'no rules']];
  return rules.rules.map(({ index, text }) => [place, name, String(index), text]);
}

const ENDINGS: Readonly<Record<DirectionOrder['otherwise'], string>> = {
  Allow: 'Allow',
  Deny: 'Deny',
  Next: 'go on',
};

function rowsOf(order: DirectionOrder): readonly (readonly string[])[] {
  const tiers = order.tiers.flatMap(({ tier, policies, otherwise }) => [
    ...policies.flatMap((policy) => rowsOfRules(tier, policy)),
    [tier, '(what is left)', '-', otherwise],
  ]);
  if (!order.leavesTiers) return tiers;
  const profiles = order.profiles.flatMap((profile) => rowsOfRules('(profiles)', profile));
  return [...tiers, ...profiles, ['(end)', '(what is left)', '-', ENDINGS[order.otherwise]]];
}

const STAGES: Readonly<Record<Stage['stage'], string>> = {
  workload: '',
  untracked: 'before connections are tracked: ',
  preDNAT: 'before destinations are translated: ',
  host: 'to and from the host itself: ',
  forwarded: 'through the host: ',
};

function tablesOf(stage: Stage): readonly Block[] {
  return (['ingress', 'egress'] as const)
    .filter((direction) => stage.stage !== 'preDNAT' || direction === 'ingress')
    .flatMap((direction) => [
      line(`${STAGES[stage.stage]}${direction}`),
      { type: 'table', headings: ['TIER', 'POLICY', 'RULE', 'DOES'], rows: rowsOf(stage[direction]) },
    ]);
}

/** That a host endpoint is not filtered, and which rules no host can enforce. */
function noticesOf(cluster: Cluster, { value }: EndpointFact, stages: readonly Stage[]): ReadonlySet<string> {
  const orders = stages.flatMap(({ ingress, egress }) => [ingress, egress]);
  const rules = orders.flatMap(({ tiers, profiles }) => [...tiers.flatMap(({ policies }) => policies), ...profiles]);
  const values = [value?.kind === 'HostEndpoint' ? value : undefined, ...rules.map((each) => cluster.valueOf(each))];
  return new Set(values.flatMap((each) => (each === undefined ? [] : effectNotices(each))));
}

/** policy order ENDPOINT: by name, NAMESPACE/NAME or IP address. */
export async function showPolicyOrder(call: Call, context: Context): Promise<Result> {
  const format = textOption(call, 'output') ?? 'ps';
  if (!/^(ps|ya?ml|json)$/.test(format)) {
    throw new CalicoError('ERR_CALI_CLI_USAGE', `unrecognized output format '${format}'`, {
      hint: 'write ps, yaml or json',
    });
  }
  const cluster = await loadCluster(await context.connectToRead());
  const endpoint = findEndpoint(cluster, call.arguments[0] ?? '', textOption(call, 'namespace'));
  const { key, value } = endpoint;
  const stages = evaluationOrder(cluster, key);
  const addresses = addressesOf(endpoint);
  const node = value?.spec.node ?? '';
  for (const notice of noticesOf(cluster, endpoint, stages)) context.tell(notice);
  if (format !== 'ps') {
    const type = format === 'json' ? 'json' : 'yaml';
    return { output: [{ type, value: { ...key, node, addresses, stages } }] };
  }
  const heading = [`${resourceId(key)} on ${node}`, ...addresses].join(', ');
  return { output: [line(heading), line(''), ...stages.flatMap(tablesOf)] };
}
