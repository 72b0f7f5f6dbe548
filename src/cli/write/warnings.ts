import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import type { ResourceKey } from '../../api/resource-update.js';
import type { Client } from '../../client/client.js';
import type { Call, Context, OptionSpec } from '../command.js';

/** Of commands that write what a file describes. */
export const WARNINGS_OPTION: OptionSpec = {
  flags: '--no-warnings',
  help: 'do not look for what is odd about policies and host endpoints, and for whom they would cut off',
};

/** What is about to be written; without resource: deleted. */
export interface PlannedWrite {
  readonly key: ResourceKey<PublicKind>;
  readonly resource?: PublicResourceByKind[PublicKind];
  /** Labels that are stored and not in `resource` go; otherwise they stay. */
  readonly isWhole?: boolean;
}

/** Only for these is there advice: for the sake of others nothing is loaded and nothing read. */
const ADVISED_KINDS: readonly string[] = ['NetworkPolicy', 'GlobalNetworkPolicy', 'HostEndpoint', 'FelixConfiguration'];

/** Nobody reads more. */
const WARNINGS_MAX = 30;

/** Who writes, and how. */
export interface Writer {
  readonly client: Client;
  readonly call: Call;
  readonly context: Context;
}

/** Whether a write of this kind is looked at. */
export function wantsWarnings(kind: PublicKind, call: Call): boolean {
  return call.options['warnings'] !== false && ADVISED_KINDS.includes(kind);
}

/** Tells what is odd about policies and host endpoints that are about to be written. Never in the way of the write. */
export async function warnOf(writes: readonly PlannedWrite[], { client, call, context }: Writer): Promise<void> {
  if (!writes.some(({ key }) => wantsWarnings(key.kind, call))) return;
  const { adviceOn } = await import('./write-advice.js');
  const warnings = await adviceOn(client, writes);
  for (const text of warnings.slice(0, WARNINGS_MAX)) context.tell(text);
  if (warnings.length > WARNINGS_MAX) context.tell(`warning: and ${warnings.length - WARNINGS_MAX} more like these`);
}
