import type { Command } from '../command.js';

/** How long to wait for a datastore that only adds a word. */
const PATIENCE_MS = 2_000;

export const status: Command = {
  name: 'status',
  help: 'the old form of: node status',
  options: [
    { flags: '--runtime <runtime>', help: 'docker or none; found out by itself' },
    { flags: '--backend <backend>', help: 'bird or none; found out by itself' },
  ],
  examples: [['status', 'of this host; as root']],
  usesDatastore: true,
  async handler(_, context) {
    const { refuseNonRoot } = await import('../first-era/this-host.js');
    const refusal = refuseNonRoot();
    if (refusal !== undefined) return refusal;
    const { tellToday } = await import('../first-era/today.js');
    tellToday(context, 'calicoctl node status');
    const { readOldStatus } = await import('../host/old-status.js');
    return readOldStatus(async (node) => {
      const asked = context.connectUnchecked().then((client) => client.find({ kind: 'Node', name: node }));
      const late = new Promise<undefined>((resolve) => {
        setTimeout(() => resolve(undefined), PATIENCE_MS).unref();
      });
      try {
        const stored = await Promise.race([asked, late]);
        return stored === undefined ? undefined : stored.value.spec.bgp?.asNumber !== undefined;
      } catch {
        // The datastore only says whose the number is: without it that is left out.
        return undefined;
      }
    });
  },
};
