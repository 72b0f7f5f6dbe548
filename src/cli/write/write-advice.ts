import { advise } from '../../advice/advise.js';
import type { Advice } from '../../advice/advice.js';
import { ADVICE_KINDS, type AdviceKind, Cluster, type Fact } from '../../advice/cluster.js';
import { formatError, visibleText } from '../../base/errors.js';
import type { Client } from '../../client/client.js';
import { Interruption } from '../interruption.js';
import type { PlannedWrite } from './warnings.js';

function isAdviceKind(kind: string): kind is AdviceKind {
  return ADVICE_KINDS.some((each) => each === kind);
}

/** Everything that decides what policy does. */
export async function loadCluster(client: Client): Promise<Cluster> {
  const lists = await Promise.all(
    ADVICE_KINDS.map(async (kind) => {
      const { items } = await client.datastore.list(kind);
      return items.map(({ key, value, revision }) => ({ kind, key, value, revision }) as Fact);
    }),
  );
  return new Cluster(lists.flat());
}

/** As it will be: what is written is laid over the labels that are stored. */
function factOf({ key, resource, isWhole }: PlannedWrite, cluster: Cluster): Fact | undefined {
  if (!isAdviceKind(key.kind)) return undefined;
  const stored = cluster.valueOf({ ...key, kind: key.kind });
  const labels = { ...(isWhole === true ? {} : stored?.metadata.labels), ...resource?.metadata.labels };
  const value = resource && { ...resource, metadata: { ...resource.metadata, labels } };
  return { kind: key.kind, key, value, revision: '' } as Fact;
}

function warning({ subject, message, hint }: Advice): string {
  const sentence = visibleText(subject === undefined ? message : `${subject}: ${message}`);
  return hint === undefined ? `warning: ${sentence}` : `warning: ${sentence}\n  hint: ${visibleText(hint)}`;
}

/** What is odd about the writes, in sentences. Reads whatever policy depends on. @throws {Interruption} */
export async function adviceOn(client: Client, writes: readonly PlannedWrite[]): Promise<readonly string[]> {
  try {
    const cluster = await loadCluster(client);
    const changes = writes.map((write) => factOf(write, cluster)).filter((fact) => fact !== undefined);
    return advise(cluster, changes).map(warning);
  } catch (error) {
    if (error instanceof Interruption) throw error;
    // Whoever may write need not be allowed to read everything; the write itself says what is wrong with the datastore.
    return [`warning: nothing is known of what this change does to others: ${formatError(error)}`];
  }
}
