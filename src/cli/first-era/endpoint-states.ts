import type { WorkloadEndpoint } from '../../api/kinds/workload-endpoint.js';
import { endpointIdentity, endpointPath } from '../../api/felix-status-names.js';
import type { Client } from '../../client/client.js';

/** What the first era said of every endpoint, and says of one of which no agent says anything else. */
const ACTIVE = 'active';

/** The state of an endpoint, in the words of the first era's tables. */
export type StateOf = (endpoint: WorkloadEndpoint) => string;

/** From `host/` on: a host says its region only to its agent. */
function withoutRegion(name: string): string {
  return name.replace(/^v2\/[^/]+\//, '');
}

/** What the agents say of their endpoints, where `endpointReportingEnabled` has them say it: active, down or error. */
export async function readStates(client: Client): Promise<StateOf> {
  const { items } = await client.datastore.list('FelixStatus', { namePrefix: 'v2/' });
  const statuses = new Map(items.map(({ key, value }) => [withoutRegion(key.name), value.status]));
  return (endpoint) => {
    const status = statuses.get(`host/${endpoint.spec.node}/${endpointPath(endpointIdentity(endpoint))}`);
    return status === undefined || status === 'up' ? ACTIVE : status;
  };
}
