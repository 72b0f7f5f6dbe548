import { randomUUID } from 'node:crypto';
import { CalicoError } from '../../base/errors.js';
import { refuseUnlocked } from '../../client/readiness.js';
import type { Datastore, Stored } from '../../datastore/datastore.js';
import { splitPool } from '../../ipam/split.js';
import { formatPrefix, tryParsePrefix } from '../../net/prefix.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { doneLead } from '../messages.js';
import { line, type Result } from '../result.js';

/** So many parts are listed; of more, the first and the last. */
const LISTED = 16;

function bad(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', message);
}

async function findPool(datastore: Datastore, call: Call): Promise<Stored<'IPPool'>> {
  const cidrText = textOption(call, 'cidr');
  const name = textOption(call, 'name');
  if ((cidrText === undefined) === (name === undefined)) throw bad('give the pool: either --cidr or --name');
  const prefix = cidrText === undefined ? undefined : tryParsePrefix(cidrText);
  if (cidrText !== undefined && prefix === undefined) throw bad(`"${cidrText}" is not a CIDR`);
  const cidr = prefix === undefined ? undefined : formatPrefix(prefix);
  const { items } = await datastore.list('IPPool');
  const pool = items.find(({ key, value }) => key.name === name || value.spec.cidr === cidr);
  if (pool === undefined) {
    const which = name === undefined ? `with CIDR ${cidr ?? ''}` : `"${name}"`;
    throw new CalicoError('ERR_CALI_CLI_POOL', `there is no IP pool ${which}`, {
      hint: 'see the pools with: calicoctl get ippool -o wide',
    });
  }
  return pool;
}

/** ipam split NUMBER (--cidr=CIDR | --name=NAME) */
export async function splitIpam(call: Call, context: Context): Promise<Result> {
  const [text = ''] = call.arguments;
  if (!/^\d{1,6}$/.test(text)) throw bad(`"${text}" is not a number of parts`);
  const { datastore } = await context.connect();
  const pool = await findPool(datastore, call);
  await refuseUnlocked(datastore, 'split a pool');
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const parts = await splitPool(datastore, pool, Number(text), { newUid: randomUUID, now });
  const listed = parts.length <= LISTED ? parts : [...parts.slice(0, 1), ...parts.slice(-1)];
  const isDryRun = flag(call, 'dryRun');
  return {
    output: [
      line(`${doneLead(isDryRun)} split pool "${pool.key.name}" (${pool.value.spec.cidr}) into ${parts.length}:`),
      ...listed.map(({ name, cidr }) => line(`  ${name} ${cidr}`)),
      ...(isDryRun ? [] : [line('You may now unlock the data store.')]),
    ],
  };
}
