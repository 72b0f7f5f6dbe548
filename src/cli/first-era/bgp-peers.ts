import { type BGPPeer, parsePeerAddress } from '../../api/kinds/bgp-peer.js';
import { addressName, convertNodeName } from '../../api/v1/names.js';
import { API_VERSION } from '../../api/meta.js';
import type { Client } from '../../client/client.js';
import { type Family, formatAddress, parseAddress, tryParseAddress } from '../../net/address.js';
import type { Context } from '../command.js';
import { type Block, line, type Result } from '../result.js';
import { readAsNumber } from './as-number.js';
import { bgpSettingHandlers } from './bgp-settings.js';
import type { BGP, NODE_BGP } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { thisNode } from './this-host.js';

/** Whose peers: every node's, or one node's own. */
interface Scope {
  readonly node?: string;
  readonly removed: string;
  readonly heading: (family: Family) => string;
  readonly none: (family: Family) => string;
  readonly unknown: (address: string) => string;
}

const GLOBAL: Scope = {
  removed: 'BGP peer removed from global configuration',
  heading: (family) => `Global IPv${family} BGP Peer`,
  none: (family) => `No global IPv${family} BGP Peers defined.`,
  unknown: (address) => `${address} is not a globally configured peer.`,
};

async function ownScope(context: Context): Promise<Scope> {
  return {
    node: await thisNode(context),
    removed: 'BGP peer removed from node configuration',
    heading: (family) => `Node specific IPv${family} BGP Peer`,
    none: (family) => `No IPv${family} BGP Peers defined for this node.`,
    unknown: (address) => `${address} is not a configured peer for this node.`,
  };
}

/** Peers that the first era knows: given by address, for all nodes or for one. */
function isOf({ spec }: BGPPeer, { node }: Scope): boolean {
  const isPlain = spec.peerIP !== undefined && (spec.nodeSelector ?? '') === '';
  return isPlain && (spec.node ?? '') === (node ?? '');
}

function addressOf({ spec }: BGPPeer): string {
  return parsePeerAddress(spec.peerIP ?? '')?.address ?? '';
}

async function peersOf(client: Client, scope: Scope): Promise<readonly BGPPeer[]> {
  return (await client.list('BGPPeer')).map(({ value }) => value).filter((peer) => isOf(peer, scope));
}

async function add(call: TypedCall, context: Context, scope: Scope): Promise<Result> {
  const [typed, asText] = [call.word('ip'), call.word('as')];
  const parsed = tryParseAddress(typed);
  if (parsed === undefined) return { errors: [`Invalid IP address specified: ${typed}`] };
  const asNumber = readAsNumber(asText);
  if (asNumber === undefined) return { errors: [`Invalid AS Number specified: ${asText}`] };
  const address = formatAddress(parsed);
  const client = await context.connect();
  const known = (await peersOf(client, scope)).find((peer) => addressOf(peer) === address);
  if (known !== undefined) {
    await client.update({ ...known, metadata: { name: known.metadata.name }, spec: { ...known.spec, asNumber } });
    return {};
  }
  const { node } = scope;
  const name = addressName(parsed);
  await client.create({
    apiVersion: API_VERSION,
    kind: 'BGPPeer',
    metadata: { name: node === undefined ? name : `${convertNodeName(node)}.${name}` },
    spec: { ...(node === undefined ? {} : { node }), peerIP: address, asNumber },
  } satisfies BGPPeer);
  return {};
}

async function remove(call: TypedCall, context: Context, scope: Scope): Promise<Result> {
  const typed = call.word('ip');
  const parsed = tryParseAddress(typed);
  if (parsed === undefined) return { errors: [`Invalid IP address specified: ${typed}`] };
  const client = await context.connect();
  const address = formatAddress(parsed);
  const found = (await peersOf(client, scope)).filter((peer) => addressOf(peer) === address);
  if (found.length === 0) return { errors: [scope.unknown(address)] };
  for (const { metadata } of found) await client.delete({ kind: 'BGPPeer', name: metadata.name });
  return { output: [line(scope.removed)] };
}

async function show(call: TypedCall, context: Context, scope: Scope): Promise<Result> {
  const peers = await peersOf(await context.connectToRead(), scope);
  const output: Block[] = [];
  for (const family of [4, 6] as const) {
    if (call.has(family === 4 ? 'ipv6' : 'ipv4') && !call.has(family === 4 ? 'ipv4' : 'ipv6')) continue;
    const rows = peers
      .filter((peer) => parseAddress(addressOf(peer)).family === family)
      .map((peer) => [addressOf(peer), String(peer.spec.asNumber ?? '')]);
    if (rows.length === 0) output.push(line(scope.none(family)));
    else output.push({ type: 'box', headings: [scope.heading(family), 'AS Num'], rows, align: 'centre' });
  }
  return { output };
}

export const bgpHandlers: FormHandlers<typeof BGP.forms> = {
  'peer add': (call, context) => add(call, context, GLOBAL),
  'peer remove': (call, context) => remove(call, context, GLOBAL),
  'peer show': (call, context) => show(call, context, GLOBAL),
  ...bgpSettingHandlers,
};

export const nodeBgpHandlers: FormHandlers<typeof NODE_BGP.forms> = {
  'peer add': async (call, context) => add(call, context, await ownScope(context)),
  'peer remove': async (call, context) => remove(call, context, await ownScope(context)),
  'peer show': async (call, context) => show(call, context, await ownScope(context)),
};
