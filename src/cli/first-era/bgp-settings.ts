import { type BGPConfiguration, DEFAULT_AS_NUMBER } from '../../api/kinds/bgp-configuration.js';
import type { Client } from '../../client/client.js';
import type { Context } from '../command.js';
import { line, type Result } from '../result.js';
import { readAsNumber } from './as-number.js';
import type { BGP } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { editSettings } from './settings-store.js';

const CLUSTER = { kind: 'BGPConfiguration', name: 'default' } as const;

/** BGP's settings of the cluster; none where there are none. */
export async function readBgpSettings(client: Client): Promise<BGPConfiguration['spec']> {
  return (await client.find(CLUSTER))?.value.spec ?? {};
}

async function nodeMesh(call: TypedCall, context: Context): Promise<Result> {
  if (!call.has('on') && !call.has('off')) {
    const { nodeToNodeMeshEnabled = true } = await readBgpSettings(await context.connectToRead());
    return { output: [line(nodeToNodeMeshEnabled ? 'on' : 'off')] };
  }
  const nodeToNodeMeshEnabled = call.has('on');
  await editSettings(await context.connect(), CLUSTER, (settings) => ({ ...settings, nodeToNodeMeshEnabled }));
  return {};
}

async function defaultNodeAs(call: TypedCall, context: Context): Promise<Result> {
  const text = call.find('as');
  if (text === undefined) {
    const { asNumber = DEFAULT_AS_NUMBER } = await readBgpSettings(await context.connectToRead());
    return { output: [line(String(asNumber))] };
  }
  const asNumber = readAsNumber(text);
  if (asNumber === undefined) return { errors: [`Invalid AS Number specified: ${text}`] };
  await editSettings(await context.connect(), CLUSTER, (settings) => ({ ...settings, asNumber }));
  return {};
}

export const bgpSettingHandlers: Pick<FormHandlers<typeof BGP.forms>, 'node-mesh' | 'default-node-as'> = {
  'node-mesh': nodeMesh,
  'default-node-as': defaultNodeAs,
};
