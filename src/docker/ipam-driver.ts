import { AlreadyExistsError, CalicoError, ConflictError, ifFound, NotFoundError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Client } from '../client/client.js';
import type { Ipam } from '../ipam/ipam.js';
import { bareAddress, formatPrefix, networkOf, parsePrefix, tryParsePrefix } from '../net/prefix.js';
import type { AddressBook } from './address-book.js';
import {
  addressInUse,
  addressOutsidePools,
  badCidr,
  gatewayRefused,
  ipamOptionsRefused,
  noAddressLeft,
  noSuchPool,
  poolDeleted,
  subPoolRefused,
} from './messages.js';
import { type AddressRelease, type AddressRequest, OPTION, type PoolRequest } from './protocol.js';

/** What stands for "any pool of the family" in requests for addresses. */
const ANY_POOL = { 4: 'CalicoPoolIPv4', 6: 'CalicoPoolIPv6' } as const;
/** A gateway of all zeros: the engine reserves none, and networks know by it whose addresses they have. */
const NO_GATEWAY = { 4: '0.0.0.0/0', 6: '::/0' } as const;
const ZERO = /^(0\.0\.0\.0|::)(\/\d+)?$/;

export interface IpamDriverOptions {
  readonly client: Client;
  readonly ipam: Ipam;
  readonly hostname: string;
  /** Under which this host's Docker addresses are held. */
  readonly handleId: string;
  readonly book: AddressBook;
  /** Whether a container of this host has the address now. */
  readonly isTaken: (address: string) => Promise<boolean>;
  readonly log: Log;
}

interface PoolAnswer {
  readonly PoolID: string;
  readonly Pool: string;
  readonly Data: Readonly<Record<string, string>>;
}

/** The plugin's IPAM half: pools are Calico's, addresses come from its IPAM, each a /32 or /128. */
export class IpamDriver {
  readonly #options: IpamDriverOptions;

  constructor(options: IpamDriverOptions) {
    this.#options = options;
  }

  /** @throws {CalicoError} the subnet is no pool's, or more than a subnet was asked for */
  async requestPool({ Pool, SubPool, Options, V6 }: PoolRequest): Promise<PoolAnswer> {
    if (SubPool !== '') throw subPoolRefused();
    if (Object.keys(Options).length > 0) throw ipamOptionsRefused();
    const family = V6 || Pool.includes(':') ? 6 : 4;
    const data = { [OPTION.gateway]: NO_GATEWAY[family] };
    // Nodes of a swarm repeat the pool that they were given.
    if (Pool === '' || ZERO.test(Pool)) return { PoolID: ANY_POOL[family], Pool: NO_GATEWAY[family], Data: data };
    const cidr = canonicalCidr(Pool);
    if (cidr === undefined) throw badCidr();
    if (!(await this.#poolCidrs()).includes(cidr)) throw noSuchPool();
    return { PoolID: cidr, Pool: cidr, Data: data };
  }

  /** @throws {CalicoError} no address is left, the given one is taken or in no pool, or the pool is gone */
  async requestAddress({ PoolID, Address, Options }: AddressRequest): Promise<{ Address: string; Data: object }> {
    if (Options[OPTION.requestType] === OPTION.gateway) {
      if (Address !== '' && !ZERO.test(Address)) throw gatewayRefused();
      return { Address: PoolID.includes(':') || PoolID === ANY_POOL[6] ? NO_GATEWAY[6] : NO_GATEWAY[4], Data: {} };
    }
    const address = Address === '' ? await this.#assignAny(PoolID) : await this.#assignGiven(Address);
    return { Address: formatPrefix(parsePrefix(address)), Data: {} };
  }

  /** What is not held is fine; what somebody else holds stays theirs. */
  async releaseAddress({ Address }: AddressRelease): Promise<void> {
    const address = bareAddress(Address);
    if (address === undefined || ZERO.test(Address)) return;
    const { ipam, handleId, book, log } = this.#options;
    try {
      await ipam.releaseIps([{ address, handleId }]);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      log.warn('an address to release is held by others: it stays', { address, error });
    }
    book.forget(address);
  }

  /**
   * Makes sure that an address which an endpoint is about to get is held for it. It was let go meanwhile when the plugin was away
   * between the two calls for long.
   */
  async keep(address: string): Promise<void> {
    const { book } = this.#options;
    if (!book.has(address)) await this.#assignGiven(address);
  }

  async #poolCidrs(): Promise<readonly string[]> {
    const pools = await this.#options.client.list('IPPool');
    return pools.filter(({ value }) => value.spec.disabled !== true).map(({ value }) => value.spec.cidr);
  }

  async #assignAny(poolId: string): Promise<string> {
    const { ipam, hostname, handleId, book } = this.#options;
    const family = poolId.includes(':') || poolId === ANY_POOL[6] ? 6 : 4;
    const isAny = poolId === ANY_POOL[family] || ZERO.test(poolId);
    if (!isAny && !(await this.#poolCidrs()).includes(poolId)) throw poolDeleted();
    const count = family === 4 ? { ipv4: 1 } : { ipv6: 1 };
    const pools = family === 4 ? { ipv4Pools: [poolId] } : { ipv6Pools: [poolId] };
    let result;
    try {
      result = await ipam.autoAssign({
        ...count,
        hostname,
        use: 'Workload',
        handleId,
        attributes: this.#attributes(),
        ...(isAny ? {} : pools),
      });
    } catch (error) {
      // No pool of the family at all.
      if (error instanceof CalicoError && error.code === 'ERR_CALI_IPAM_REQUEST') throw noAddressLeft();
      throw error;
    }
    const [assigned = ''] = result[family === 4 ? 'ipv4' : 'ipv6'].addresses;
    const address = bareAddress(assigned);
    if (address === undefined) throw noAddressLeft();
    book.add(address);
    return address;
  }

  async #assignGiven(text: string): Promise<string> {
    const address = bareAddress(text);
    if (address === undefined) throw addressOutsidePools(text);
    const { ipam, hostname, handleId, book, isTaken } = this.#options;
    try {
      await ipam.assignIp({ address, hostname, handleId, attributes: this.#attributes(), use: 'Workload' });
    } catch (error) {
      if (error instanceof NotFoundError) throw addressOutsidePools(address);
      if (!(error instanceof AlreadyExistsError)) throw error;
      // Asked again after the answer was lost: held by this host's Docker, and nobody here has it.
      if (book.has(address) || !(await this.#isHeldByUs(address)) || (await isTaken(address))) {
        throw addressInUse(address);
      }
    }
    book.add(address);
    return address;
  }

  async #isHeldByUs(address: string): Promise<boolean> {
    const { ipam, handleId } = this.#options;
    return (await ifFound(ipam.attributes(address)))?.handleId === handleId;
  }

  #attributes(): Record<string, string> {
    return { node: this.#options.hostname, namespace: 'libnetwork' };
  }
}

function canonicalCidr(text: string): string | undefined {
  const prefix = text.includes('/') ? tryParsePrefix(text) : undefined;
  return prefix === undefined ? undefined : formatPrefix(networkOf(prefix));
}
