import { addressOfReverseName, CODE, type DnsAnswers, type DnsQuery, TYPE } from './dns-message.js';
import type { NamedEndpoint, NameDirectory } from './name-directory.js';

/**
 * What becomes of a question.
 *
 * `engine`: the engine knows, or knows whom to ask. `foreign`: the name of a container that the asker has no network in common with; only
 * the engine can know another bearer of that name, and it knows at once or not at all.
 */
export type Resolution = { readonly by: 'us'; readonly answers: DnsAnswers } | { readonly by: 'engine' | 'foreign' };

const ENGINE: Resolution = { by: 'engine' };
const FOREIGN: Resolution = { by: 'foreign' };

/** Answers what an engine without a cluster store cannot: names of containers on other hosts, each network for itself. */
export class Resolver {
  readonly #directory: NameDirectory;
  readonly #hostname: string;
  #turn = 0;

  constructor(directory: NameDirectory, hostname: string) {
    this.#directory = directory;
    this.#hostname = hostname;
  }

  /** @param networks names of the asker's networks */
  resolve(query: Pick<DnsQuery, 'name' | 'type'>, networks: ReadonlySet<string>): Resolution {
    const address = addressOfReverseName(query.name);
    const meant = address === undefined ? this.#directory.named(query.name) : this.#directory.withAddress(address);
    if (meant.length === 0) return ENGINE;
    const near = meant.filter(({ network }) => networks.has(network));
    if (near.length === 0) return FOREIGN;
    // An engine knows its own containers best: also aliases that it has just been given.
    if (near.every(({ node }) => node === this.#hostname)) return ENGINE;
    if (address === undefined) return { by: 'us', answers: this.#addresses(near, query.type) };
    const asked = query.type === TYPE.PTR || query.type === TYPE.ANY;
    return { by: 'us', answers: { code: CODE.noError, names: asked ? near.flatMap(fullName) : [] } };
  }

  /** Several containers of one name take turns at being the first. */
  #addresses(endpoints: readonly NamedEndpoint[], type: number): DnsAnswers {
    const all = [...new Set(endpoints.flatMap(({ addresses }) => addresses))].filter(
      (address) => type === TYPE.ANY || type === (address.includes(':') ? TYPE.AAAA : TYPE.A),
    );
    this.#turn = (this.#turn + 1) % 0x1_0000;
    const first = all.length === 0 ? 0 : this.#turn % all.length;
    return { code: CODE.noError, addresses: [...all.slice(first), ...all.slice(0, first)] };
  }
}

function fullName({ names: [name], network }: NamedEndpoint): string[] {
  return name === undefined ? [] : [`${name}.${network}`];
}
