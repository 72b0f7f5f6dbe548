import { advise, ADVISED_KINDS } from '../advice/advise.js';
import type { Advice } from '../advice/advice.js';
import { ADVICE_KINDS, type AdviceKind, Cluster, type Fact } from '../advice/cluster.js';
import type { PublicKind, PublicResourceByKind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { formatError, visibleText } from '../base/errors.js';
import type { Client } from '../client/client.js';
import type { Call, Context } from './command.js';

/** What is about to be written; without resource: deleted. */
export interface PlannedWrite {
  readonly key: ResourceKey<PublicKind>;
  readonly resource?: PublicResourceByKind[PublicKind];
}

/** Nobody reads more. */
const WARNINGS_MAX = 30;

function isAdviceKind(kind: string): kind is AdviceKind {
  return ADVICE_KINDS.some((each) => each === kind);
}

async function loadCluster(client: Client): Promise<Cluster> {
  const lists = await Promise.all(
    ADVICE_KINDS.map(async (kind) => {
      const { items } = await client.datastore.list(kind);
      return items.map(({ key, value, revision }) => ({ kind, key, value, revision }) as Fact);
    }),
  );
  return new Cluster(lists.flat());
}

/** As it will be: what is written is laid over the labels that are stored. */
function factOf({ key, resource }: PlannedWrite, cluster: Cluster): Fact | undefined {
  if (!isAdviceKind(key.kind)) return undefined;
  const stored = cluster.valueOf({ ...key, kind: key.kind });
  const labels = { ...stored?.metadata.labels, ...resource?.metadata.labels };
  const value = resource && { ...resource, metadata: { ...resource.metadata, labels } };
  return { kind: key.kind, key, value, revision: '' } as Fact;
}

function warning({ subject, message, hint }: Advice): string {
  const sentence = visibleText(subject === undefined ? message : `${subject}: ${message}`);
  return hint === undefined ? `warning: ${sentence}` : `warning: ${sentence}\n  hint: ${visibleText(hint)}`;
}

async function adviceOn(client: Client, writes: readonly PlannedWrite[]): Promise<readonly string[]> {
  try {
    const cluster = await loadCluster(client);
    const changes = writes.map((write) => factOf(write, cluster)).filter((fact) => fact !== undefined);
    return advise(cluster, changes).map(warning);
  } catch (error) {
    // Whoever may write need not be allowed to read everything; the write itself says what is wrong with the datastore.
    return [`warning: nothing is known of what this change does to others: ${formatError(error)}`];
  }
}

/** Tells what is odd about policies and host endpoints that are about to be written. Never in the way of the write. */
export async function warnOf(
  writes: readonly PlannedWrite[],
  { client, call, context }: { readonly client: Client; readonly call: Call; readonly context: Context },
): Promise<void> {
  const isAsked = call.options['warnings'] !== false && writes.some(({ key }) => ADVISED_KINDS.includes(key.kind));
  if (!isAsked) return;
  const warnings = await adviceOn(client, writes);
  for (const text of warnings.slice(0, WARNINGS_MAX)) context.tell(text);
  if (warnings.length > WARNINGS_MAX) context.tell(`warning: and ${warnings.length - WARNINGS_MAX} more like these`);
}
