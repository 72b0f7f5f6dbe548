import type { Conditions, ShownCondition } from '../base/conditions.js';
import type { Agent } from '../felix/agent.js';
import type { Health } from '../felix/health.js';
import type { FeatureReport } from '../features/probe.js';
import type { NodeHealth, NodeStatus } from '../localapi/protocol.js';
import { readAttachRequest } from '../localapi/requests.js';
import type { LocalRoute } from '../localapi/router.js';
import type { BgpService } from './bgp-service.js';
import type { NodeState } from './node-state.js';
import type { NodeSettings } from './settings.js';
import { VERSION } from '../base/version.js';
import type { Workloads } from './workloads.js';

/** What the routes look at. Functions give what may not be there yet. */
export interface NodeView {
  readonly name: string;
  readonly startedAt: string;
  readonly settings: NodeSettings;
  readonly conditions: Conditions;
  readonly health: Health;
  readonly state: NodeState;
  readonly bgp: () => BgpService;
  readonly agent: () => Pick<Agent, 'revision' | 'problems'> | undefined;
  readonly features: () => readonly FeatureReport[];
  readonly isSingleHost: () => boolean;
  /** @throws {UnavailableError} the node is still starting */
  readonly workloads: () => Workloads;
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

export async function readStatus(view: NodeView): Promise<NodeStatus> {
  const { state, settings } = view;
  const { isRunning, peers } = await view.bgp().peers();
  const { lastError } = state;
  return {
    node: view.name,
    version: VERSION,
    pid: process.pid,
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
    },
    conditions: [...view.conditions.shown(), ...problemConditions(view)],
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
    {
      method: 'POST',
      path: '/v1/workloads',
      answer: async ({ body }) => ({ body: await view.workloads().attach(readAttachRequest(body)) }),
    },
    {
      method: 'DELETE',
      path: '/v1/workloads/{namespace}/{name}',
      answer: async ({ parameters: { namespace = '', name = '' } }) => ({
        body: await view.workloads().detach(namespace, name),
      }),
    },
  ];
}
