import { DEFAULT_POOL_ANNOTATION, type IPPool } from '../api/kinds/ip-pool.js';
import { API_VERSION } from '../api/meta.js';
import { AlreadyExistsError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import { formatPrefix, parsePrefix, type Prefix, prefixesOverlap, tryParsePrefix } from '../net/prefix.js';
import type { HostInterface } from './address-choice.js';
import type { FamilySettings, NodeSettings } from './settings.js';

/** In this order, where the host itself has no address in it. */
const IPV4_CANDIDATES = ['192.168.0.0/16', ...Array.from({ length: 16 }, (_, i) => `172.${16 + i}.0.0/16`)].map(
  parsePrefix,
);
const [IPV4_FIRST] = IPV4_CANDIDATES;

/** Random bytes; production passes the system's. */
export type RandomBytes = (count: number) => Uint8Array;

function chooseIpv4(interfaces: readonly HostInterface[]): Prefix | undefined {
  const held = interfaces.flatMap(({ addresses }) => addresses);
  return IPV4_CANDIDATES.find((candidate) => !held.some((prefix) => prefixesOverlap(prefix, candidate))) ?? IPV4_FIRST;
}

/** A unique local prefix (RFC 4193 section 3.2): fd, then 40 random bits. */
function chooseIpv6(randomBytes: RandomBytes): Prefix {
  const hex = Buffer.from(randomBytes(5)).toString('hex');
  return parsePrefix(`fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/48`);
}

function defaultPool({ family, pool }: FamilySettings, cidr: string): IPPool {
  return {
    apiVersion: API_VERSION,
    kind: 'IPPool',
    metadata: {
      name: `default-ipv${family}-ippool`,
      ...(pool.cidr === undefined ? { annotations: { [DEFAULT_POOL_ANNOTATION]: 'true' } } : {}),
    },
    spec: {
      cidr,
      blockSize: pool.blockSize,
      ipipMode: pool.ipipMode,
      vxlanMode: pool.vxlanMode,
      natOutgoing: pool.natOutgoing,
      nodeSelector: pool.nodeSelector,
      ...(pool.disableBgpExport ? { disableBGPExport: true } : {}),
    },
  };
}

export interface DefaultPoolsOptions {
  readonly settings: NodeSettings;
  readonly interfaces: readonly HostInterface[];
  readonly randomBytes: RandomBytes;
  /** Whether this kernel has IPv6. */
  readonly hasIpv6: boolean;
}

/**
 * Creates a pool for each family that has none. It steps aside for the first pool somebody asks for while nobody uses it, unless its
 * CIDR was asked for.
 *
 * @returns one line for people for each pool created
 */
export async function createDefaultPools(client: Client, options: DefaultPoolsOptions): Promise<readonly string[]> {
  const { settings, interfaces } = options;
  if (!settings.createDefaultPools) return [];
  const present = new Set(
    (await client.list('IPPool')).map(({ value }) => tryParsePrefix(value.spec.cidr)?.address.family),
  );
  const notices: string[] = [];
  for (const family of [settings.ipv4, settings.ipv6]) {
    const { cidr } = family.pool;
    const isWanted = family.family === 4 || (options.hasIpv6 && settings.useIpv6);
    if (present.has(family.family) || cidr === 'none' || !isWanted) continue;
    const chosen = family.family === 4 ? chooseIpv4(interfaces) : chooseIpv6(options.randomBytes);
    const text = cidr ?? (chosen === undefined ? undefined : formatPrefix(chosen));
    if (text === undefined) continue;
    if (await createUnlessThere(client, defaultPool(family, text))) notices.push(`created default pool ${text}`);
  }
  return notices;
}

/** Another host may start at the same moment: the first one's pool is everybody's. */
async function createUnlessThere(client: Client, pool: IPPool): Promise<boolean> {
  try {
    await client.create(pool);
    return true;
  } catch (error) {
    if (error instanceof AlreadyExistsError) return false;
    throw error;
  }
}
