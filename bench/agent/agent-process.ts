import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Agent } from '../../src/felix/agent.js';
import { EtcdDatastore } from '../../src/datastore/etcd/etcd-datastore.js';
import { keepYoungGenerationSmall } from '../../src/felix/memory.js';
import { LOCAL_HOST } from '../cluster/cluster.js';

/**
 * The agent as a process of its own, in whatever network namespace it was started: tells its parent when the kernel is in line and, when
 * asked, what it used. Arguments: the etcd endpoint.
 */
const [endpoint = ''] = process.argv.slice(2);
keepYoungGenerationSmall();
const stop = new AbortController();
const turns = monitorEventLoopDelay({ resolution: 1 });
turns.enable();

export type AgentMessage =
  | { readonly type: 'programmed'; readonly kernelWrites: number; readonly sinceStartMs: number }
  | { readonly type: 'failed'; readonly message: string }
  | {
      readonly type: 'usage';
      readonly peakRssMiB: number;
      readonly longestTurnMs: number;
      readonly longestTurnAllMs: number;
    };

function tell(message: AgentMessage): void {
  process.send?.(message);
}

let longestTurnAllMs = 0;

process.on('message', () => {
  const longestTurnMs = turns.max / 1e6;
  longestTurnAllMs = Math.max(longestTurnAllMs, longestTurnMs);
  tell({ type: 'usage', peakRssMiB: process.resourceUsage().maxRSS / 1024, longestTurnMs, longestTurnAllMs });
  turns.reset();
});
process.once('disconnect', () => stop.abort());

const agent = new Agent({
  hostname: LOCAL_HOST,
  datastore: new EtcdDatastore({ endpoints: [endpoint] }),
  local: [],
  observer: {
    onProgrammed: ({ kernelWrites }) =>
      tell({ type: 'programmed', kernelWrites, sinceStartMs: process.uptime() * 1_000 }),
    onProgrammingFailed: (error) => tell({ type: 'failed', message: error.message }),
  },
});
await agent.run(stop.signal);
process.exit(0);
