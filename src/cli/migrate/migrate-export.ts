import { encodeStored } from '../../api/stored-form.js';
import { parseBlockAffinityName } from '../../api/kinds/block-affinity.js';
import type { IPAMBlock } from '../../api/kinds/ipam-block.js';
import { API_VERSION } from '../../api/meta.js';
import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import { CalicoError, NotFoundError } from '../../base/errors.js';
import { readCluster, refuseUnlocked } from '../../client/readiness.js';
import type { Datastore } from '../../datastore/datastore.js';
import type { Context } from '../command.js';
import { line, type Result } from '../result.js';

/** In the order in which they are written. Profiles and endpoints are what Kubernetes itself will say. */
const EXPORTED_KINDS: readonly PublicKind[] = [
  'IPPool',
  'BGPPeer',
  'Tier',
  'GlobalNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'GlobalNetworkSet',
  'HostEndpoint',
  'KubeControllersConfiguration',
  'NetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'NetworkSet',
  'Node',
  'BGPConfiguration',
  'FelixConfiguration',
  'IPReservation',
  'BGPFilter',
];

/** Names of policies that Kubernetes' own were copied to: they come from there again. */
const FROM_KUBERNETES = /^(knp|kanp|kcnp|kbanp)\./;

/** Handles that carry the name of a node. */
const TUNNEL_HANDLE = /^((?:ipip|vxlan|vxlan-v6|wireguard|wireguard-v6)-tunnel-addr-)(.+)$/;

/** What a node is called in Kubernetes, by what it is called here. */
class NodeNames {
  readonly #names: ReadonlyMap<string, string>;

  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

  of(name: string): string {
    return this.#names.get(name) ?? name;
  }

  /** Of a configuration for one node: `node.calico-01`. */
  ofConfiguration(name: string): string {
    return name.startsWith('node.') ? `node.${this.of(name.slice('node.'.length))}` : name;
  }

  ofAffinity(affinity: string): string {
    return affinity.startsWith('host:') ? `host:${this.of(affinity.slice('host:'.length))}` : affinity;
  }

  ofHandle(handle: string): string {
    const [, head, node] = TUNNEL_HANDLE.exec(handle) ?? [];
    return head === undefined || node === undefined ? handle : head + this.of(node);
  }
}

async function readNodeNames(datastore: Datastore): Promise<NodeNames> {
  const { items } = await datastore.list('Node');
  const names = new Map<string, string>();
  const nameless: string[] = [];
  for (const { key, value } of items) {
    const reference = value.spec.orchRefs?.find(({ orchestrator }) => orchestrator === 'k8s')?.nodeName ?? '';
    if (reference === '') nameless.push(key.name);
    else names.set(key.name, reference);
  }
  if (nameless.length > 0) {
    throw new CalicoError(
      'ERR_CALI_CLI_EXPORT',
      `cannot export: nodes without reference to a Kubernetes node: ${nameless.join(', ')}`,
      { hint: 'give each of them spec.orchRefs: [{orchestrator: k8s, nodeName: NAME}], or delete those that are gone' },
    );
  }
  return new NodeNames(names);
}

type AnyResource = PublicResourceByKind[PublicKind];

/** Without what only this store knows; names of nodes are those of Kubernetes. */
function exported(resource: AnyResource, nodes: NodeNames): object {
  const { kind, apiVersion, spec } = resource;
  const { namespace, labels, annotations } = resource.metadata;
  let { name } = resource.metadata;
  if (kind === 'Node') name = nodes.of(name);
  if (kind === 'BGPConfiguration' || kind === 'FelixConfiguration') name = nodes.ofConfiguration(name);
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const isOfNode = (kind === 'HostEndpoint' || kind === 'BGPPeer') && resource.spec.node !== undefined;
  return { apiVersion, kind, metadata, spec: isOfNode ? { ...spec, node: nodes.of(resource.spec.node ?? '') } : spec };
}

async function exportKind(kind: PublicKind, context: Context, datastore: Datastore, nodes: NodeNames): Promise<void> {
  const { items } = await datastore.list(kind);
  const own = items.filter(({ value }) => !FROM_KUBERNETES.test(value.metadata.name));
  if (own.length === 0) return;
  const list = own.map(({ value }) => exported(value, nodes));
  context.print({ type: 'yaml', value: { apiVersion: API_VERSION, items: list, kind: `${kind}List`, metadata: {} } });
  context.print(line('---'));
}

function exportedBlock(block: IPAMBlock, nodes: NodeNames): IPAMBlock {
  const { affinity } = block;
  const attributes = block.attributes.map((attribute) => {
    const { handle_id: handle, secondary } = attribute;
    const node = secondary?.['node'];
    return {
      ...attribute,
      ...(handle === undefined ? {} : { handle_id: nodes.ofHandle(handle) }),
      ...(node === undefined ? {} : { secondary: { ...secondary, node: nodes.of(node) } }),
    };
  });
  return { ...block, ...(affinity === undefined ? {} : { affinity: nodes.ofAffinity(affinity) }), attributes };
}

/** JSON with one object a line. Blocks in their stored form: their numbers are longer than JSON's usual ones. */
async function ipamJson(datastore: Datastore, nodes: NodeNames): Promise<string> {
  const [blocks, affinities, handles] = await Promise.all([
    datastore.list('IPAMBlock'),
    datastore.list('BlockAffinity'),
    datastore.list('IPAMHandle'),
  ]);
  const lists = {
    blocks: blocks.items.map(({ value }) => encodeStored('IPAMBlock', exportedBlock(value, nodes))),
    affinities: affinities.items.flatMap(({ key, value }) => {
      const parsed = parseBlockAffinityName(key.name);
      if (parsed === undefined) return [];
      const { type, owner, cidr } = parsed;
      const node = type === 'host' ? nodes.of(owner) : owner;
      const { state = 'confirmed', deleted = false } = value;
      return [JSON.stringify({ cidr, deleted, node, state, type })];
    }),
    handles: handles.items.map(({ key, value }) => {
      const { block, deleted = false } = value;
      return JSON.stringify({ block, deleted, handleID: nodes.ofHandle(key.name) });
    }),
  };
  const config = await ipamSettings(datastore);
  const texts = Object.entries(lists).map(
    ([name, list]) => `"${name}": [${list.map((text) => `\n  ${text}`).join(',')}\n]`,
  );
  return `{\n${[...texts, ...config].join(',\n')}\n}`;
}

async function ipamSettings(datastore: Datastore): Promise<readonly string[]> {
  try {
    const { value } = await datastore.get({ kind: 'IPAMConfiguration', name: 'default' });
    return [`"config": ${JSON.stringify(value.spec)}`];
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

/**
 * datastore migrate export: YAML of every kind, then ClusterInformation and IPAM as JSON, parted by `===`. Nodes bear the names that
 * Kubernetes gives them, wherever they are named.
 */
export async function exportDatastore(context: Context): Promise<Result> {
  const { datastore } = await context.connect();
  await refuseUnlocked(datastore, 'export it');
  const nodes = await readNodeNames(datastore);
  for (const kind of EXPORTED_KINDS) await exportKind(kind, context, datastore, nodes);
  const cluster = await readCluster(datastore);
  context.print(line('==='));
  context.print(line(JSON.stringify(cluster?.value, undefined, 2)));
  context.print(line('==='));
  return { output: [line(await ipamJson(datastore, nodes))] };
}
