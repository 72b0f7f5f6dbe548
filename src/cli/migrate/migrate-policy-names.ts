import { type TieredKind, TIERED_KINDS } from '../../api/registry.js';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../../base/errors.js';
import { resourceId } from '../../client/client.js';
import type { Datastore, Stored } from '../../datastore/datastore.js';
import { type Call, type Context, flag } from '../command.js';
import { doneLead } from '../messages.js';
import { line, type Result } from '../result.js';

/** Policies whose key is not the name that people know them by. */
async function renamable(datastore: Datastore): Promise<readonly Stored<TieredKind>[]> {
  const lists = await Promise.all(TIERED_KINDS.map((kind) => datastore.list(kind)));
  return lists.flatMap(({ items }) => items.filter(({ key, value }) => key.name !== value.metadata.name));
}

/** Why it stays; undefined: it has its own name now. */
async function rename(datastore: Datastore, { key, value, revision }: Stored<TieredKind>): Promise<string | undefined> {
  const { name } = value.metadata;
  try {
    // One commit: at no time are there two policies, or none.
    await datastore.commit([
      { type: 'create', key: { ...key, name }, value },
      { type: 'delete', key, revision },
    ]);
    return undefined;
  } catch (error) {
    if (error instanceof AlreadyExistsError) return `there is a "${name}" already; delete one of the two`;
    if (error instanceof ConflictError || error instanceof NotFoundError) return 'somebody changed it just now';
    throw error;
  }
}

/** datastore migrate-policy-names */
export async function migratePolicyNames(call: Call, context: Context): Promise<Result> {
  const { datastore } = await context.connect();
  const isDryRun = flag(call, 'dryRun');
  const errors: string[] = [];
  let done = 0;
  for (const policy of await renamable(datastore)) {
    const why = await rename(datastore, policy);
    if (why === undefined) {
      done += 1;
      const { name } = policy.value.metadata;
      const now = isDryRun ? `would be stored as "${name}"` : `is stored as "${name}" now`;
      context.print(line(`${resourceId(policy.key)} ${now}`));
    } else errors.push(`${resourceId(policy.key)} stays as it is: ${why}`);
  }
  return {
    output: [line(`${isDryRun ? `${doneLead(true)} migrated` : 'Migrated'} the names of ${done} policies.`)],
    errors,
  };
}
