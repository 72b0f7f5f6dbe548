import { sleep, systemClock } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import { VERSION } from '../base/version.js';
import { type Call, type Context, flag, textOption } from './command.js';
import { line, type Result } from './result.js';
import { GIT_COMMIT } from './version.js';

async function pollMs(text: string | undefined): Promise<number> {
  if (text === undefined) return 0;
  const { durationMs } = await import('../api/fields.js');
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  const hint = 'write 1s, 10m, 2h or 1m30s';
  throw new CalicoError('ERR_CALI_CLI_USAGE', `--poll: "${text}" is not a duration`, { hint });
}

function orUnknown(text: string | undefined): string {
  return text === undefined || text === '' ? 'unknown' : text;
}

async function clusterLines(context: Context): Promise<readonly string[]> {
  try {
    const client = await context.connectUnchecked();
    const { value } = await client.get({ kind: 'ClusterInformation', name: 'default' });
    const { calicoVersion, clusterType } = value.spec;
    return [`Cluster Version:   ${orUnknown(calicoVersion)}`, `Cluster Type:      ${orUnknown(clusterType)}`];
  } catch {
    // Whatever the reason, this program's own version was the question too.
    return ['Unable to detect installed Calico version'];
  }
}

/** version [--client] [--poll=DURATION]. */
export async function showVersions(call: Call, context: Context): Promise<Result> {
  const everyMs = await pollMs(textOption(call, 'poll'));
  for (const text of [`Client Version:    ${VERSION}`, `Git commit:        ${GIT_COMMIT}`]) context.print(line(text));
  if (flag(call, 'client')) return {};
  let said = '';
  for (;;) {
    const lines = await clusterLines(context);
    if (lines.join('\n') !== said) for (const text of lines) context.print(line(text));
    said = lines.join('\n');
    if (everyMs === 0) return {};
    await sleep(systemClock, everyMs, context.signal);
    if (context.signal.aborted) return {};
  }
}
