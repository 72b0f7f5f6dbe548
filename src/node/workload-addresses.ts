import { AlreadyExistsError, CalicoError, ifFound, NotFoundError } from '../base/errors.js';
import { explainShortfall, type Ipam } from '../ipam/ipam.js';
import type { CompleteAddressesRequest } from '../localapi/protocol.js';
import { formatPrefix, parsePrefix } from '../net/prefix.js';

/** A workload, and the handle by which its addresses are held. */
export interface WorkloadIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly handleId: string;
}

/** What is asked for: addresses by name, or so many of each family. */
export type WantedAddresses = Pick<CompleteAddressesRequest, 'addresses' | 'ipv4' | 'ipv6' | 'pools'>;

export function identityOf(namespace: string, name: string): WorkloadIdentity {
  return { namespace, name, handleId: `${namespace}.${name}` };
}

/** `192.0.2.7`, `192.0.2.7/24` → `192.0.2.7/32`: a workload shares its subnet with nobody. */
export function toHostPrefix(text: string): string {
  return formatPrefix(parsePrefix(text.replace(/\/.*$/, '')));
}

function noAddress(): CalicoError {
  return new CalicoError('ERR_CALI_NODE_NO_ADDRESS', 'the pools gave fewer addresses than asked for', {
    hint: 'add an IPPool, or see who holds addresses with: calicoctl ipam show --show-blocks',
  });
}

/** The addresses of this host's workloads: held in the pools under the workload's handle, or its own where no pool has them. */
export class WorkloadAddresses {
  readonly #ipam: Ipam;
  readonly #hostname: string;

  constructor(ipam: Ipam, hostname: string) {
    this.#ipam = ipam;
    this.#hostname = hostname;
  }

  /** For a workload that is new: what a crash left under its handle, before its endpoint was written, is given back first. */
  async assign(wanted: WantedAddresses, identity: WorkloadIdentity, workload: string): Promise<readonly string[]> {
    if (wanted.addresses === undefined) await this.releaseAll(identity);
    return this.assignMore(wanted, identity, workload);
  }

  /** Beside those it has. @returns prefixes of full length. @throws {CalicoError} `ERR_CALI_NODE_NO_ADDRESS`; nothing is kept then */
  assignMore(wanted: WantedAddresses, identity: WorkloadIdentity, workload: string): Promise<readonly string[]> {
    const attributes = { node: this.#hostname, namespace: identity.namespace, workload };
    return wanted.addresses === undefined
      ? this.#assignAny(wanted, identity, attributes)
      : this.#assignGiven(wanted.addresses, identity, attributes);
  }

  /** Addresses in no pool are nobody's to give back. */
  async release(prefixes: readonly string[], { handleId }: WorkloadIdentity): Promise<void> {
    await this.#ipam.releaseIps(prefixes.map((prefix) => ({ address: prefix.replace(/\/.*$/, ''), handleId })));
  }

  /** @returns whether it had any */
  async releaseAll({ handleId }: WorkloadIdentity): Promise<boolean> {
    return (await ifFound(this.#ipam.releaseByHandle(handleId))) !== undefined;
  }

  async #assignAny(
    { ipv4, ipv6, pools }: WantedAddresses,
    identity: WorkloadIdentity,
    attributes: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> {
    const byFamily = (colon: boolean) => pools.filter((pool) => !/[/]/.test(pool) || pool.includes(':') === colon);
    const result = await this.#ipam.autoAssign({
      ipv4,
      ipv6,
      hostname: this.#hostname,
      use: 'Workload',
      handleId: identity.handleId,
      attributes,
      ...(pools.length === 0 ? {} : { ipv4Pools: byFamily(false), ipv6Pools: byFamily(true) }),
    });
    const addresses = [...result.ipv4.addresses, ...result.ipv6.addresses].map(toHostPrefix);
    if (addresses.length < ipv4 + ipv6) {
      await this.release(addresses, identity);
      throw explainShortfall(result.ipv4) ?? explainShortfall(result.ipv6) ?? noAddress();
    }
    return addresses;
  }

  async #assignGiven(
    addresses: readonly string[],
    identity: WorkloadIdentity,
    attributes: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> {
    const prefixes = addresses.map(toHostPrefix);
    const done: string[] = [];
    try {
      for (const prefix of prefixes) {
        const address = prefix.replace(/\/.*$/, '');
        if (await this.#assignOne(address, identity, attributes)) done.push(prefix);
      }
    } catch (error) {
      await this.release(done, identity);
      throw error;
    }
    return prefixes;
  }

  /** @returns true when it was assigned now; an address in no pool is the caller's own, one we hold already stays */
  async #assignOne(
    address: string,
    { handleId }: WorkloadIdentity,
    attributes: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    try {
      await this.#ipam.assignIp({ address, hostname: this.#hostname, handleId, attributes, use: 'Workload' });
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      if (!(error instanceof AlreadyExistsError)) throw error;
      const held = await this.#held(handleId);
      if (held.includes(address)) return false;
      throw error;
    }
  }

  async #held(handleId: string): Promise<readonly string[]> {
    return (await ifFound(this.#ipam.addressesByHandle(handleId))) ?? [];
  }
}
