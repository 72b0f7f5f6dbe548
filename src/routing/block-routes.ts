import { parseBlockAffinityName, type BlockAffinity } from '../api/kinds/block-affinity.js';
import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { canonicalPrefix, isOneAddress } from './canonical-prefix.js';

/**
 * The blocks of this host.
 *
 * Hears: IPAM blocks and affinities. Emits: the destinations whose blackhole may have changed. Keeps: each block's owner, this host's own
 * affinities. A block that changes only who has its addresses, which is most of what blocks do, costs one comparison.
 */
export class BlockRoutes {
  readonly #owner: string;
  readonly #touch: (destination: string) => void;
  /** By canonical CIDR, as stored in the block; `''` for a block that nobody claims. */
  readonly #ownerOfBlock = new Map<string, string>();
  readonly #confirmed = new Set<string>();

  /** @param touch hears of every destination whose blackhole may have changed */
  constructor(hostname: string, touch: (destination: string) => void) {
    this.#owner = `host:${hostname}`;
    this.#touch = touch;
  }

  setBlock(name: string, block: IPAMBlock | undefined): void {
    const cidr = canonicalPrefix(name);
    if (cidr === undefined) return;
    const owner = block === undefined || block.deleted === true ? undefined : (block.affinity ?? '');
    if (this.#ownerOfBlock.get(cidr) === owner) return;
    if (owner === undefined) this.#ownerOfBlock.delete(cidr);
    else this.#ownerOfBlock.set(cidr, owner);
    this.#touch(cidr);
  }

  /** @returns true when the list of confirmed blocks changed */
  setAffinity(name: string, affinity: BlockAffinity | undefined): boolean {
    const parsed = parseBlockAffinityName(name);
    if (parsed === undefined || `${parsed.type}:${parsed.owner}` !== this.#owner) return false;
    const cidr = canonicalPrefix(parsed.cidr);
    if (cidr === undefined) return false;
    // Before states existed an affinity had none: it counts as confirmed.
    const isConfirmed =
      affinity !== undefined && affinity.deleted !== true && ['', 'confirmed'].includes(affinity.state ?? '');
    if (this.#confirmed.has(cidr) === isConfirmed) return false;
    if (isConfirmed) this.#confirmed.add(cidr);
    else this.#confirmed.delete(cidr);
    this.#touch(cidr);
    return true;
  }

  /**
   * True for a block of this host: what has no workload route in it leads nowhere, rather than to the gateway and back. The block says
   * whose it is; an affinity alone counts where the block is not there.
   */
  isOwn(cidr: string): boolean {
    if (isOneAddress(cidr)) return false;
    const owner = this.#ownerOfBlock.get(cidr);
    return owner === undefined ? this.#confirmed.has(cidr) : owner === this.#owner;
  }

  /** Sorted: what this host announces. */
  get confirmed(): readonly string[] {
    return [...this.#confirmed].toSorted();
  }
}
