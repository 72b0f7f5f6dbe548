import type { IPPool } from '../api/kinds/ip-pool.js';
import type { Profile } from '../api/kinds/profile.js';
import { API_VERSION } from '../api/meta.js';
import { AlreadyExistsError, ConflictError, NotFoundError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import type { Stored } from '../datastore/datastore.js';
import { formatPrefix, networkOf, tryParsePrefix } from '../net/prefix.js';
import type { DockerEngine } from './engine.js';
import type { EngineNetwork } from './engine-answers.js';
import type { EngineMemory } from './engine-memory.js';
import {
  badCidr,
  flagsRefused,
  ipv6NeedsCalico,
  manyGateways,
  optionNotBoolean,
  poolOptionsRefused,
  subnetIsPool,
} from './messages.js';
import { poolName, profileName } from './network-name.js';
import { type IpamData, type NetworkRequest, OPTION, userOptions } from './protocol.js';

/** On profiles and pools that a network brought: ids of the networks that need them, with spaces between. */
export const NETWORKS_ANNOTATION = 'docker.projectcalico.org/networks';

const POOL_OPTIONS = ['ipip', 'nat-outgoing'] as const;
const SMALLEST_BLOCK = { 4: 26, 6: 122 } as const;
const WRITE_TRIES = 5;
const FALSE_WORDS = new Set(['false', '0', 'no', 'off']);
/** An option without `=` arrives as an empty text. */
const TRUE_WORDS = new Set(['true', '1', 'yes', 'on', '']);

/** A network as containers are put on it. */
export interface KnownNetwork {
  readonly id: string;
  readonly name: string;
  /** MTU that `--opt com.docker.network.driver.mtu=` asks for. */
  readonly mtu: number | undefined;
}

type Owned = Stored<'Profile'> | Stored<'IPPool'>;

/**
 * Docker's networks in the datastore. A network is a profile of its name, which lets its members talk to each other; one whose
 * addresses Docker gives is a pool, too, from which IPAM takes nothing. Hosts that have a network of the same name share both.
 */
export class Networks {
  readonly #client: Client;
  readonly #engine: DockerEngine;
  readonly #memory: EngineMemory;
  readonly #createProfiles: boolean;
  /** What is told late of a network that is gone must not bring its profile back. */
  readonly #deleted = new Set<string>();

  constructor(options: {
    readonly client: Client;
    readonly engine: DockerEngine;
    readonly memory: EngineMemory;
    readonly createProfiles: boolean;
  }) {
    this.#client = options.client;
    this.#memory = options.memory;
    this.#engine = options.engine;
    this.#createProfiles = options.createProfiles;
  }

  /**
   * What must be in the datastore before the first container comes. Only the host where it was typed hears of it, without its name.
   *
   * @throws {CalicoError} an option that means nothing here, or a subnet that overlaps with a pool
   */
  async create(request: NetworkRequest): Promise<void> {
    const { NetworkID: id, Options, IPv4Data, IPv6Data } = request;
    const isCalicoIpam = ![...IPv4Data, ...IPv6Data].some(isForeignPool);
    const options = checkOptions(Options, isCalicoIpam);
    if (IPv4Data.length > 1) throw manyGateways(4);
    if (IPv6Data.length > 1) throw manyGateways(6);
    if (IPv6Data.some(isForeignPool)) throw ipv6NeedsCalico();
    try {
      for (const data of [...IPv4Data, ...IPv6Data].filter(isForeignPool)) {
        await withoutRace(() => this.#createPool(id, data, options));
      }
    } catch (error) {
      // The engine deletes no network that it could not create. The error is the one to tell.
      await Promise.allSettled([this.#disownAll(id)]);
      throw error;
    }
  }

  /** Takes away what only this network needed. */
  async delete(id: string): Promise<void> {
    this.#deleted.add(id);
    await this.#disownAll(id);
  }

  async #disownAll(id: string): Promise<void> {
    const owned: Owned[] = [...(await this.#client.list('Profile')), ...(await this.#client.list('IPPool'))];
    for (const stored of owned) if (networksOf(stored).includes(id)) await this.#disown(stored, id);
  }

  /** @throws {CalicoError} the engine does not know it, or does not answer */
  async find(id: string): Promise<KnownNetwork> {
    const known = (await this.#memory.read()).networks[id];
    if (known !== undefined) return { id, name: known.name, mtu: known.mtu };
    const found = knownNetwork(await this.#engine.inspectNetwork(id));
    await this.#memory.keep((before) => ({ ...before, networks: { ...before.networks, [id]: kept(found) } }));
    return found;
  }

  /** Keeps what will be needed of the engine's networks when it starts again. */
  async remember(networks: readonly EngineNetwork[]): Promise<void> {
    const all = networks.map(knownNetwork).map((network) => [network.id, kept(network)] as const);
    await this.#memory.keep((before) => ({ ...before, networks: Object.fromEntries(all) }));
  }

  /** Makes the network's profile, unless somebody made one of that name: theirs is used as it is. @returns its name, unless none are made */
  async ensureProfile({ id, name }: Pick<KnownNetwork, 'id' | 'name'>): Promise<string | undefined> {
    if (!this.#createProfiles || this.#deleted.has(id)) return undefined;
    const profile = profileName(name);
    await withoutRace(() => this.#ensureProfileOnce(profile, id));
    return profile;
  }

  async #ensureProfileOnce(name: string, id: string): Promise<void> {
    const stored = await this.#client.find({ kind: 'Profile', name });
    if (stored === undefined) await this.#client.create(networkProfile(name, id));
    else await this.#own(stored, id);
  }

  /** Adds the network to those that need it, where a network made it. */
  async #own(stored: Owned, id: string): Promise<void> {
    const ids = networksOf(stored);
    if (ids.length > 0 && !ids.includes(id)) await this.#annotate(stored, [...ids, id]);
  }

  async #annotate({ value, revision }: Owned, ids: readonly string[]): Promise<void> {
    const { metadata } = value;
    const annotations = { ...metadata.annotations, [NETWORKS_ANNOTATION]: ids.join(' ') };
    await this.#client.update({
      ...value,
      metadata: { ...metadata, annotations, resourceVersion: revision },
    } as typeof value);
  }

  async #disown(stored: Owned, id: string): Promise<void> {
    for (let attempt = 1, seen: Owned | undefined = stored; seen !== undefined; attempt += 1) {
      const rest = networksOf(seen).filter((other) => other !== id);
      try {
        if (rest.length > 0) await this.#annotate(seen, rest);
        // A host that makes a network of the same name now has it for its own.
        else await this.#client.delete(seen.key, { revision: seen.revision });
        return;
      } catch (error) {
        if (error instanceof NotFoundError) return;
        if (!(error instanceof ConflictError) || attempt >= WRITE_TRIES) throw error;
        seen = await this.#again(stored);
      }
    }
  }

  #again(stored: Owned): Promise<Owned | undefined> {
    return stored.value.kind === 'Profile'
      ? this.#client.find({ kind: 'Profile', name: stored.key.name })
      : this.#client.find({ kind: 'IPPool', name: stored.key.name });
  }

  async #createPool(id: string, { Pool }: IpamData, options: Readonly<Record<string, string>>): Promise<void> {
    const prefix = tryParsePrefix(Pool);
    if (prefix === undefined) throw badCidr();
    const { family } = prefix.address;
    const cidr = formatPrefix(networkOf(prefix));
    const name = poolName(cidr);
    const stored = await this.#client.find({ kind: 'IPPool', name });
    if (stored !== undefined && networksOf(stored).length > 0) {
      // The same network, typed on another host of a cluster without a shared engine store.
      await this.#own(stored, id);
      return;
    }
    if (stored !== undefined) throw subnetIsPool(cidr);
    const pool: IPPool = {
      apiVersion: API_VERSION,
      kind: 'IPPool',
      metadata: { name, annotations: { [NETWORKS_ANNOTATION]: id } },
      spec: {
        cidr,
        blockSize: SMALLEST_BLOCK[family],
        ipipMode: isOn(options['ipip']) && family === 4 ? 'Always' : 'Never',
        vxlanMode: 'Never',
        natOutgoing: isOn(options['nat-outgoing']),
        // Docker gives the addresses.
        disabled: true,
      },
    };
    await this.#client.create(pool);
  }
}

/** Writes again where another host wrote the same at the same moment. */
async function withoutRace(write: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write();
      return;
    } catch (error) {
      const isRace = error instanceof AlreadyExistsError || error instanceof ConflictError;
      if (!isRace || attempt >= WRITE_TRIES) throw error;
    }
  }
}

function knownNetwork({ id, name, options }: EngineNetwork): KnownNetwork {
  const mtu = Number(options[OPTION.mtu] ?? '');
  return { id, name, mtu: Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535 ? mtu : undefined };
}

function kept({ name, mtu }: KnownNetwork): { name: string; mtu?: number } {
  return { name, ...(mtu === undefined ? {} : { mtu }) };
}

function networksOf({ value }: Owned): string[] {
  const text = value.metadata.annotations?.[NETWORKS_ANNOTATION] ?? '';
  return text.split(' ').filter((id) => id !== '');
}

/** Calico's IPAM names a gateway of all zeros; every other driver a real one. */
function isForeignPool({ Gateway, Pool }: IpamData): boolean {
  return Pool !== '' && Gateway !== '' && !/^(0\.0\.0\.0|::)(\/|$)/.test(Gateway);
}

function isOn(option: string | undefined): boolean {
  return option !== undefined && !FALSE_WORDS.has(option.toLowerCase());
}

/** @throws {CalicoError} `Calico driver does not support the flag REJECT.` */
function checkOptions(
  given: Readonly<Record<string, unknown>>,
  isCalicoIpam: boolean,
): Readonly<Record<string, string>> {
  if (given[OPTION.internal] === true) throw flagsRefused(['--internal']);
  const options = userOptions(given);
  const isPoolOption = (name: string): boolean => POOL_OPTIONS.some((option) => option === name);
  const unknown = Object.keys(options).filter((name) => name !== OPTION.mtu && !isPoolOption(name));
  if (unknown.length > 0) throw flagsRefused(unknown);
  const misplaced = Object.keys(options).filter(isPoolOption);
  if (isCalicoIpam && misplaced.length > 0) throw poolOptionsRefused(misplaced);
  for (const name of misplaced) {
    const word = options[name]?.toLowerCase() ?? '';
    if (!FALSE_WORDS.has(word) && !TRUE_WORDS.has(word)) throw optionNotBoolean(name, word);
  }
  return options;
}

/** Members are known by the label that the profile gives them, whose key is the profile's name. */
function networkProfile(name: string, networkId: string): Profile {
  return {
    apiVersion: API_VERSION,
    kind: 'Profile',
    metadata: { name, annotations: { [NETWORKS_ANNOTATION]: networkId } },
    spec: {
      labelsToApply: { [name]: '' },
      ingress: [{ action: 'Allow', source: { selector: `has(${name})` } }],
      egress: [{ action: 'Allow' }],
    },
  };
}
