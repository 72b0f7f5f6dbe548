import { CalicoError } from '../../base/errors.js';
import { type Call, type Command, flag, textOption } from '../command.js';

const MAX_LOGS = 5;
const MAX_PARALLELISM = 10;

function count(call: Call, name: string, flags: string, usual: number): number {
  const text = textOption(call, name);
  if (text === undefined) return usual;
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new CalicoError('ERR_CALI_CLI_USAGE', `${flags}: "${text}" is not a number from 1 to 9999`);
  }
  return Number(text);
}

function since(call: Call): string | undefined {
  const text = textOption(call, 'since');
  if (text === undefined || /^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return text;
  throw new CalicoError('ERR_CALI_CLI_USAGE', `--since: "${text}" is not a duration`, { hint: 'write 90s, 5m or 2h' });
}

export const clusterDiags: Command = {
  name: 'cluster diags',
  help: 'collect what helps to understand a problem of a Kubernetes cluster into one archive, without secrets',
  options: [
    { flags: '--since <duration>', help: 'only logs newer than so long: 5s, 2m, 3h (default: all)' },
    { flags: '--max-logs <count>', help: `pods of a kind whose logs are taken (default: ${MAX_LOGS})` },
    { flags: '--max-parallelism <count>', help: `commands at the same time (default: ${MAX_PARALLELISM})` },
    { flags: '--focus-nodes <nodes>', help: 'names of nodes, with commas between: their pods come first' },
    { flags: '--skip-temp-dir-cleanup', help: 'leave the folder beside the archive' },
  ],
  examples: [
    ['cluster diags', 'everything that is known to help'],
    ['cluster diags --since 2h --focus-nodes node-1,node-2', 'the logs of two hours, two nodes first'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const options = {
      since: since(call),
      maxLogs: count(call, 'maxLogs', '--max-logs', MAX_LOGS),
      maxParallelism: count(call, 'maxParallelism', '--max-parallelism', MAX_PARALLELISM),
      focusNodes: (textOption(call, 'focusNodes') ?? '').split(',').filter((name) => name !== ''),
      keepsFolder: flag(call, 'skipTempDirCleanup'),
    };
    const { clusterDiags: collect } = await import('../host/cluster-diags.js');
    return collect(context, options);
  },
};
