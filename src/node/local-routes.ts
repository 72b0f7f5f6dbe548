import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import type { Conditions, ShownCondition } from '../base/conditions.js';
import type { Agent } from '../felix/agent.js';
import type { Health } from '../felix/health.js';
import type { FeatureReport } from '../features/probe.js';
import {
  addressesRequest,
  attachRequest,
  type NodeHealth,
  type NodeStatus,
  removalRequest,
  type Workload,
} from '../localapi/protocol.js';
import { readRequest } from '../localapi/requests.js';
import type { LocalRoute } from '../localapi/router.js';
import type { BgpPlan } from '../plan/host-plan.js';
import type { BgpService } from './bgp-service.js';
import type { NodeState } from './node-state.js';
import type { NodeSettings } from './settings.js';
import { VERSION } from '../base/version.js';
import type { Workloads } from './workloads.js';

/** What the routes look at. Functions give what may not be there yet. */
export interface NodeView {
  readonly name: string;
  readonly startedAt: string;
  readonly isContainer: boolean;
  readonly settings: NodeSettings;
  readonly conditions: Conditions;
  readonly health: Health;
  readonly state: NodeState;
  readonly bgp: () => BgpService;
  readonly agent: () => Pick<Agent, 'revision' | 'problems' | 'held'> | undefined;
  readonly features: () => readonly FeatureReport[];
  readonly isSingleHost: () => boolean;
  /** @throws {UnavailableError} the node is still starting */
  readonly workloads: () => Workloads;
}

/** That the agent takes nothing from the datastore, which was locked or emptied. */
function heldConditions(view: NodeView): ShownCondition[] {
  const held = view.agent()?.held;
  if (held === undefined) return [];
  const { message, hint } = held;
  const text = `the host is held: ${message}`;
  return [
    { code: 'host-held', severity: 'error', text, ...(hint === undefined ? {} : { hint }), since: view.startedAt },
  ];
}

/** What policy and routing cannot make sense of, as conditions. */
function problemConditions(view: NodeView): ShownCondition[] {
  return [...(view.agent()?.problems ?? [])].flatMap(([subject, texts]) =>
    texts.map((text) => ({
      code: 'resource-problem',
      subject,
      severity: 'warning' as const,
      text: `${subject}: ${text}`,
      since: view.startedAt,
    })),
  );
}

/** What this host calls itself among its peers. */
function ownSpeaker(plan: BgpPlan | undefined): Partial<NodeStatus['bgp']> {
  if (plan === undefined) return {};
  const { asNumber, ipv4, ipv6 } = plan;
  return {
    asNumber,
    ...(ipv4 === undefined ? {} : { ipv4Address: ipv4.address }),
    ...(ipv6 === undefined ? {} : { ipv6Address: ipv6.address }),
  };
}

/** An endpoint of this host as the local API shows it. */
function shownWorkload({ metadata, spec }: WorkloadEndpoint, view: NodeView): Workload {
  const namespace = metadata.namespace ?? 'default';
  return {
    name: metadata.name,
    namespace,
    orchestrator: spec.orchestrator,
    workload: spec.containerID ?? spec.pod ?? spec.workload ?? '',
    endpoint: spec.endpoint ?? '',
    interfaceName: spec.interfaceName,
    addresses: [...(spec.ipNetworks ?? [])],
    ...(spec.mac === undefined ? {} : { mac: spec.mac }),
    labels: metadata.labels ?? {},
    profiles: [...(spec.profiles ?? [])],
    state: view.state.endpointState(`${namespace}/${metadata.name}`),
  };
}

export async function readStatus(view: NodeView): Promise<NodeStatus> {
  const { state, settings } = view;
  const { isRunning, peers } = await view.bgp().peers();
  const { lastError } = state;
  return {
    node: view.name,
    version: VERSION,
    pid: process.pid,
    isContainer: view.isContainer,
    startedAt: view.startedAt,
    datastore: {
      description: state.datastoreDescription,
      isSingleHost: view.isSingleHost(),
      status: state.datastoreStatus,
    },
    felix: {
      isRunning: view.agent() !== undefined,
      revision: view.agent()?.revision ?? '0',
      isProgrammed: state.isProgrammed,
      ...(lastError === undefined ? {} : { lastError }),
    },
    bgp: {
      backend: settings.networking,
      isRunning,
      hasIpv4: state.bgpPlan?.ipv4 !== undefined,
      hasIpv6: state.bgpPlan?.ipv6 !== undefined,
      peers: [...peers],
      ...ownSpeaker(state.bgpPlan),
    },
    conditions: [...heldConditions(view), ...view.conditions.shown(), ...problemConditions(view)],
    features: view.features().map(({ feature, outcome }) => ({ name: feature.name, outcome, lost: feature.lost })),
  };
}

function readHealth({ health }: NodeView): NodeHealth {
  return { isLive: health.isLive, isReady: health.isReady, table: health.table() };
}

/** What this host's programs may ask of `calico-node`. */
export function localRoutes(view: NodeView): readonly LocalRoute[] {
  return [
    { method: 'GET', path: '/v1/status', answer: async () => ({ body: await readStatus(view) }) },
    {
      method: 'GET',
      path: '/v1/health',
      answer: () => {
        const health = readHealth(view);
        return { status: health.isReady && health.isLive ? 200 : 503, body: health };
      },
    },
    ...workloadRoutes(view),
  ];
}

function workloadRoutes(view: NodeView): readonly LocalRoute[] {
  const one = '/v1/workloads/{namespace}/{name}';
  const shown = (endpoint: WorkloadEndpoint) => ({ body: shownWorkload(endpoint, view) });
  return [
    {
      method: 'GET',
      path: '/v1/workloads',
      answer: async () => {
        const endpoints = await view.workloads().list();
        return { body: { workloads: endpoints.map((endpoint) => shownWorkload(endpoint, view)) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/workloads',
      answer: async ({ body }) => ({ body: await view.workloads().attach(readRequest(attachRequest, body)) }),
    },
    {
      method: 'GET',
      path: one,
      answer: async ({ parameters: { namespace = '', name = '' } }) =>
        shown(await view.workloads().get(namespace, name)),
    },
    {
      method: 'DELETE',
      path: one,
      answer: async ({ parameters: { namespace = '', name = '' } }) => ({
        body: await view.workloads().detach(namespace, name),
      }),
    },
    {
      method: 'POST',
      path: `${one}/addresses`,
      answer: async ({ parameters: { namespace = '', name = '' }, body }) => {
        const request = readRequest(addressesRequest, body);
        return shown(await view.workloads().addAddresses(namespace, name, request));
      },
    },
    {
      method: 'DELETE',
      path: `${one}/addresses/{address}`,
      answer: async ({ parameters: { namespace = '', name = '', address = '' }, body }) => {
        const request = readRequest(removalRequest, body);
        return shown(await view.workloads().removeAddress({ namespace, name }, address, request));
      },
    },
  ];
}
