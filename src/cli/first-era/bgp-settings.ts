import { type BGPConfiguration, DEFAULT_AS_NUMBER } from '../../api/kinds/bgp-configuration.js';
import { API_VERSION } from '../../api/meta.js';
import type { Client } from '../../client/client.js';
import type { Context } from '../command.js';
import { line, type Result } from '../result.js';
import { readAsNumber } from './as-number.js';
import type { BGP } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { repeatOnConflict } from './repeat.js';

type BgpSpec = BGPConfiguration['spec'];

/** The settings by the name of the resource; none where there is no such resource. */
export async function readBgpConfiguration(client: Client, name: string): Promise<BgpSpec> {
  return (await client.find({ kind: 'BGPConfiguration', name }))?.value.spec ?? {};
}

/** Writes the settings, made from those there are. */
export function editBgpConfiguration(client: Client, name: string, edit: (spec: BgpSpec) => BgpSpec): Promise<void> {
  return repeatOnConflict(async () => {
    const stored = await client.find({ kind: 'BGPConfiguration', name });
    if (stored === undefined) {
      await client.create({ apiVersion: API_VERSION, kind: 'BGPConfiguration', metadata: { name }, spec: edit({}) });
      return;
    }
    const { value, revision } = stored;
    const metadata = { ...value.metadata, resourceVersion: revision };
    await client.update({ ...value, metadata, spec: edit(value.spec) });
  });
}

async function nodeMesh(call: TypedCall, context: Context): Promise<Result> {
  if (!call.has('on') && !call.has('off')) {
    const { nodeToNodeMeshEnabled = true } = await readBgpConfiguration(await context.connectToRead(), 'default');
    return { output: [line(nodeToNodeMeshEnabled ? 'on' : 'off')] };
  }
  await editBgpConfiguration(await context.connect(), 'default', (spec) => ({
    ...spec,
    nodeToNodeMeshEnabled: call.has('on'),
  }));
  return {};
}

async function defaultNodeAs(call: TypedCall, context: Context): Promise<Result> {
  const text = call.find('as');
  if (text === undefined) {
    const { asNumber = DEFAULT_AS_NUMBER } = await readBgpConfiguration(await context.connectToRead(), 'default');
    return { output: [line(String(asNumber))] };
  }
  const asNumber = readAsNumber(text);
  if (asNumber === undefined) return { errors: [`Invalid AS Number specified: ${text}`] };
  await editBgpConfiguration(await context.connect(), 'default', (spec) => ({ ...spec, asNumber }));
  return {};
}

export const bgpSettingHandlers: Pick<FormHandlers<typeof BGP.forms>, 'node-mesh' | 'default-node-as'> = {
  'node-mesh': nodeMesh,
  'default-node-as': defaultNodeAs,
};
