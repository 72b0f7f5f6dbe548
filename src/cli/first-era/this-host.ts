import { hostname } from 'node:os';
import { chooseNodeName, NODE_NAME_FILE } from '../../api/node-name.js';
import type { Surroundings } from '../command.js';
import type { Result } from '../result.js';

async function textOf(path: string, { readFile }: Surroundings): Promise<string | undefined> {
  try {
    return await readFile(path);
  } catch {
    // A host that never ran calico-node has none.
    return undefined;
  }
}

/** The name of the node that is this host, as calico-node chooses it. @throws {CalicoError} `ERR_CALI_NODE_NAME` */
export async function thisNode(surroundings: Surroundings): Promise<string> {
  const { environment } = surroundings;
  const file = environment['CALICO_NODENAME_FILE'] ?? NODE_NAME_FILE;
  return chooseNodeName({ environment, fileText: await textOf(file, surroundings), osName: hostname() });
}

/** What is said to those who are not root; undefined for root. */
export function refuseNonRoot(): Result | undefined {
  return process.geteuid?.() === 0 ? undefined : { status: 2, errors: ['This command must be run as root.'] };
}
