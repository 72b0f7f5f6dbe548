import type { SrvRecord } from 'node:dns';
import { UnavailableError } from '../../base/errors.js';
import type { Random } from '../../base/retry.js';

/** Asks DNS for the servers of a service: `_etcd-client._tcp.example.com`. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/** Of one question; a server that does not answer is asked twice. */
const DNS_TIMEOUT_MS = 2_000;

/** By the servers that this host asks; few clusters are found this way, so the resolver is loaded only then. */
export const resolveSrvBySystem: ResolveSrv = async (name) => {
  const { Resolver } = await import('node:dns/promises');
  return new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 }).resolveSrv(name);
};

/** Names of services, as etcd's own clients look for them; those with TLS first. */
const SERVICES = [
  { service: '_etcd-client-ssl._tcp', scheme: 'https' },
  { service: '_etcd-client._tcp', scheme: 'http' },
] as const;

const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA']);

/** Lower priorities first; at random within one, so that not all hosts ask the same server (RFC 2782). */
function inOrder(records: readonly SrvRecord[], random: Random): readonly SrvRecord[] {
  return records
    .map((record) => ({ record, draw: random() }))
    .toSorted((a, b) => a.record.priority - b.record.priority || a.draw - b.draw)
    .map(({ record }) => record);
}

async function recordsOf(name: string, resolve: ResolveSrv): Promise<readonly SrvRecord[]> {
  try {
    return await resolve(name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (NO_SUCH_NAME.has(code)) return [];
    throw new UnavailableError(
      'ERR_CALI_DATASTORE_DISCOVERY',
      `cannot look up the etcd servers of ${name}: ${code === '' ? String(error) : code}`,
      { hint: 'check the name servers of this host', cause: error },
    );
  }
}

/**
 * The endpoints of a cluster, from the SRV records of a domain: `_etcd-client-ssl._tcp.DOMAIN`, and `_etcd-client._tcp.DOMAIN` only
 * where there are none of the first. Where one server lacks TLS and others have it, it is not asked.
 *
 * @returns at least one, in the order in which to try them
 * @throws {UnavailableError} `ERR_CALI_DATASTORE_DISCOVERY`: DNS names none, or does not answer
 */
export async function discoverEndpoints(
  domain: string,
  resolve: ResolveSrv,
  random: Random,
): Promise<readonly string[]> {
  for (const { service, scheme } of SERVICES) {
    const records = await recordsOf(`${service}.${domain}`, resolve);
    // A target of "." says that there is no such service.
    const targets = records.filter(({ name }) => name !== '' && name !== '.');
    if (targets.length > 0) {
      return inOrder(targets, random).map(({ name, port }) => `${scheme}://${name.replace(/\.$/, '')}:${port}`);
    }
  }
  throw new UnavailableError(
    'ERR_CALI_DATASTORE_DISCOVERY',
    `DNS names no etcd server of ${domain}: there is neither ${SERVICES.map(({ service }) => service).join(' nor ')}`,
    { hint: 'check ETCD_DISCOVERY_SRV, or name the servers in ETCD_ENDPOINTS' },
  );
}
