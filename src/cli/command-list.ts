import type { Command } from './command.js';
import { apply } from './commands/apply.js';
import { convert } from './commands/convert.js';
import { checksystem } from './commands/checksystem.js';
import { clusterDiags } from './commands/cluster-diags.js';
import { create } from './commands/create.js';
import { datastoreMigrateExport } from './commands/datastore-migrate-export.js';
import { datastoreMigrateImport } from './commands/datastore-migrate-import.js';
import { datastoreMigrateLock } from './commands/datastore-migrate-lock.js';
import { datastoreMigratePolicyNames } from './commands/datastore-migrate-policy-names.js';
import { datastoreMigrateUnlock } from './commands/datastore-migrate-unlock.js';
import { diff } from './commands/diff.js';
import { remove } from './commands/delete.js';
import { edit } from './commands/edit.js';
import { diags } from './commands/diags.js';
import { complete } from './commands/complete.js';
import { completion } from './commands/completion.js';
import { explain } from './commands/explain.js';
import { get } from './commands/get.js';
import { ipamCheck } from './commands/ipam-check.js';
import { ipamConfigure } from './commands/ipam-configure.js';
import { ipamRelease } from './commands/ipam-release.js';
import { ipamShow } from './commands/ipam-show.js';
import { label } from './commands/label.js';
import { ipamSplit } from './commands/ipam-split.js';
import { node } from './commands/node.js';
import { nodeRun } from './commands/node-run.js';
import { nodeChecksystem } from './commands/node-checksystem.js';
import { nodeDiags } from './commands/node-diags.js';
import { nodeStatus } from './commands/node-status.js';
import { patch } from './commands/patch.js';
import { policyOrder } from './commands/policy-order.js';
import { poolAdd } from './commands/pool-add.js';
import { poolRemove } from './commands/pool-remove.js';
import { poolShow } from './commands/pool-show.js';
import { replace } from './commands/replace.js';
import { validate } from './commands/validate.js';
import { status } from './commands/status.js';
import { wait } from './commands/wait.js';
import { version } from './commands/version.js';
import { FIRST_ERA_COMMANDS } from './first-era/command-list.js';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  create,
  replace,
  apply,
  remove,
  patch,
  label,
  validate,
  diff,
  edit,
  get,
  wait,
  explain,
  convert,
  datastoreMigrateLock,
  datastoreMigrateUnlock,
  datastoreMigrateExport,
  datastoreMigrateImport,
  datastoreMigratePolicyNames,
  ipamCheck,
  ipamConfigure,
  ipamRelease,
  ipamShow,
  ipamSplit,
  node,
  nodeRun,
  nodeStatus,
  nodeChecksystem,
  nodeDiags,
  clusterDiags,
  policyOrder,
  poolAdd,
  poolRemove,
  poolShow,
  status,
  checksystem,
  diags,
  ...FIRST_ERA_COMMANDS,
  completion,
  complete,
  version,
];

/** What groups of commands are for, by the words that lead to them. */
export const GROUPS: Readonly<Record<string, string>> = {
  cluster: 'all hosts at once',
  datastore: 'the datastore as a whole',
  'datastore migrate': 'lock it, unlock it, take what is in it elsewhere',
  ipam: 'addresses: who holds which, and how they are assigned',
  node: 'this host',
  policy: 'what policy does',
  pool: 'address pools, in short',
  'pool range': 'address pools from ranges',
};
