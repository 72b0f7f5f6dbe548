import { API_VERSION } from '../../api/meta.js';
import type { IPAMConfiguration } from '../../api/kinds/ipam-configuration.js';
import { CalicoError } from '../../base/errors.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { doneLead } from '../messages.js';
import { line, type Result } from '../result.js';

type Spec = IPAMConfiguration['spec'];

/** A setting that was asked for, and what to say once it is there. */
interface Change {
  readonly spec: Spec;
  readonly says: string;
}

function bad(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', message);
}

/** As Go reads a truth. */
function truth(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw bad('invalid value. Use true or false to set strictaffinity');
}

function count(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) throw bad(`invalid value. "${text}" is not a number for ${option}`);
  return Number(text);
}

function persistence(text: string): 'Enabled' | 'Disabled' {
  if (text === 'Enabled' || text === 'Disabled') return text;
  throw bad('invalid value. Use Enabled or Disabled to set kubevirt-ip-persistence');
}

const OPTIONS: Readonly<Record<string, (text: string) => Change>> = {
  strictaffinity: (text) => {
    const strictAffinity = truth(text);
    return { spec: { strictAffinity }, says: `StrictAffinity to: ${strictAffinity}` };
  },
  maxBlocksPerHost: (text) => {
    const maxBlocksPerHost = count(text, 'max-blocks-per-host');
    return { spec: { maxBlocksPerHost }, says: `MaxBlocksPerHost to: ${maxBlocksPerHost}` };
  },
  kubevirtIpPersistence: (text) => {
    const kubeVirtVMAddressPersistence = persistence(text);
    return {
      spec: { kubeVirtVMAddressPersistence },
      says: `KubeVirtVMAddressPersistence to: ${kubeVirtVMAddressPersistence}`,
    };
  },
  ipCooldownSeconds: (text) => {
    const ipCooldownSeconds = count(text, 'ip-cooldown-seconds');
    return { spec: { ipCooldownSeconds }, says: `IPCooldownSeconds to: ${ipCooldownSeconds}` };
  },
};

/** ipam configure [--strictaffinity=BOOL] [--max-blocks-per-host=N] [--kubevirt-ip-persistence=MODE] [--ip-cooldown-seconds=N] [--dry-run] */
export async function configureIpam(call: Call, context: Context): Promise<Result> {
  const changes = Object.entries(OPTIONS).flatMap(([name, read]) => {
    const text = textOption(call, name);
    return text === undefined ? [] : [read(text)];
  });
  if (changes.length === 0) throw bad('at least one configuration option must be specified');
  const client = await context.connect();
  const stored = await client.find({ kind: 'IPAMConfiguration', name: 'default' });
  const spec = changes.reduce<Spec>((sum, change) => ({ ...sum, ...change.spec }), stored?.value.spec ?? {});
  await client.apply({
    apiVersion: API_VERSION,
    kind: 'IPAMConfiguration',
    metadata: { name: 'default', ...(stored === undefined ? {} : { resourceVersion: stored.revision }) },
    spec,
  });
  const lead = doneLead(flag(call, 'dryRun'));
  return { output: changes.map(({ says }) => line(`${lead} set ${says}`)) };
}
