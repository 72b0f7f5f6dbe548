import type { IPPool } from '../api/kinds/ip-pool.js';
import type { BgpPoolPlan, NatPlan } from '../plan/host-plan.js';
import { canonicalPrefix } from './canonical-prefix.js';

interface PoolFacts {
  readonly cidr: string;
  readonly isMasqueraded: boolean;
  readonly isExported: boolean;
  readonly encapsulation: BgpPoolPlan['encapsulation'];
  readonly tunnel: 'IPIP' | 'VXLAN' | undefined;
}

/** The pools, as far as routing is concerned: what is masqueraded, what BIRD may say and program. */
export class Pools {
  readonly #pools = new Map<string, PoolFacts>();

  set(name: string, pool: IPPool | undefined): void {
    const cidr = pool === undefined ? undefined : canonicalPrefix(pool.spec.cidr);
    if (pool === undefined || cidr === undefined) {
      this.#pools.delete(name);
      return;
    }
    const { ipipMode = 'Never', vxlanMode = 'Never', natOutgoing, disableBGPExport } = pool.spec;
    const tunnel = ipipMode !== 'Never' ? 'IPIP' : vxlanMode !== 'Never' ? 'VXLAN' : undefined;
    const isCrossSubnet = ipipMode === 'CrossSubnet' || vxlanMode === 'CrossSubnet';
    this.#pools.set(name, {
      cidr,
      isMasqueraded: natOutgoing === true,
      isExported: disableBGPExport !== true,
      encapsulation: tunnel === undefined ? 'none' : isCrossSubnet ? 'cross-subnet' : 'always',
      tunnel,
    });
  }

  get nat(): NatPlan {
    const pools = [...this.#pools.values()];
    return {
      masqueradedPools: sortedUnique(pools.filter(({ isMasqueraded }) => isMasqueraded).map(({ cidr }) => cidr)),
      allPools: sortedUnique(pools.map(({ cidr }) => cidr)),
    };
  }

  get bgp(): readonly BgpPoolPlan[] {
    return [...this.#pools.values()]
      .map(({ cidr, isExported, encapsulation }) => ({ cidr, export: isExported, encapsulation }))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  /** Tunnels have their place beside workload and block routes; until they stand there, remote blocks of such pools are unreachable. */
  get problems(): ReadonlyMap<string, readonly string[]> {
    const problems = new Map<string, readonly string[]>();
    for (const [name, { tunnel, encapsulation }] of this.#pools) {
      if (tunnel === undefined) continue;
      const which = encapsulation === 'cross-subnet' ? 'hosts in other subnets' : 'other hosts';
      problems.set(`IPPool ${name}`, [
        `${tunnel} is not built yet: pool "${name}" gets no tunnel on this host, its blocks on ${which} are not reached; its policy is enforced`,
      ]);
    }
    return problems;
  }
}

function sortedUnique(cidrs: readonly string[]): readonly string[] {
  return [...new Set(cidrs)].toSorted();
}
