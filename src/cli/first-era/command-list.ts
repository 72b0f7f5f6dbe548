import type { Command } from '../command.js';
import { bgp } from '../commands/bgp.js';
import { config } from '../commands/config.js';
import { container } from '../commands/container.js';
import { endpoint } from '../commands/endpoint.js';
import { ipamInfo } from '../commands/ipam-info.js';
import { nodeBgp } from '../commands/node-bgp.js';
import { nodeRemove } from '../commands/node-remove.js';
import { nodeShow } from '../commands/node-show.js';
import { nodeStop } from '../commands/node-stop.js';
import { poolRangeAdd } from '../commands/pool-range-add.js';
import { profile } from '../commands/profile.js';

/** Commands that only the first era had, in the order of the help. */
export const FIRST_ERA_COMMANDS: readonly Command[] = [
  container,
  endpoint,
  profile,
  bgp,
  nodeBgp,
  nodeRemove,
  nodeShow,
  nodeStop,
  config,
  ipamInfo,
  poolRangeAdd,
];
