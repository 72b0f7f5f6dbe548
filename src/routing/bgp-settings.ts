import { durationMs } from '../api/fields.js';
import { type BGPConfiguration, DEFAULT_AS_NUMBER } from '../api/kinds/bgp-configuration.js';
import type { BgpPlan } from '../plan/host-plan.js';
import { canonicalPrefix } from './canonical-prefix.js';

/** BGP's well-known port (RFC 4271 section 4). */
const BGP_PORT = 179;

/** Undefined for 0 and the well-known port, which nobody writes. */
export function unusualPort(port: number | undefined): number | undefined {
  return port === 0 || port === BGP_PORT ? undefined : port;
}

/** Whole seconds of Go duration text, as BIRD counts. */
export function wholeSeconds(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : durationMs(text);
  return ms === undefined ? undefined : Math.floor(ms / 1_000);
}

/** What the BGPConfigurations say: `default` for the cluster, `node.<node>` for what a host has of its own. */
export class BgpSettings {
  readonly #specs = new Map<string, BGPConfiguration['spec']>();

  set(name: string, configuration: BGPConfiguration | undefined): void {
    if (configuration === undefined) this.#specs.delete(name);
    else this.#specs.set(name, configuration.spec);
  }

  get asNumber(): number {
    return this.#cluster?.asNumber ?? DEFAULT_AS_NUMBER;
  }

  get isMeshEnabled(): boolean {
    return this.#cluster?.nodeToNodeMeshEnabled ?? true;
  }

  get meshRestartTimeSeconds(): number | undefined {
    return wholeSeconds(this.#cluster?.nodeMeshMaxRestartTime);
  }

  /** Undefined for the well-known port. */
  listenPort(node: string): number | undefined {
    return unusualPort(this.#specs.get(`node.${node}`)?.listenPort ?? this.#cluster?.listenPort);
  }

  get bindsToOwnAddress(): boolean | undefined {
    return this.#cluster?.bindMode === 'NodeIP' ? true : undefined;
  }

  get ignoredInterfaces(): readonly string[] | undefined {
    const { ignoredInterfaces = [] } = this.#cluster ?? {};
    return ignoredInterfaces.length === 0 ? undefined : ignoredInterfaces;
  }

  /** Names are looked up; a host's own list takes the place of the cluster's. */
  communities(node: string): BgpPlan['communities'] {
    const own = this.#specs.get(`node.${node}`);
    const named = [...(this.#cluster?.communities ?? []), ...(own?.communities ?? [])];
    const valueOf = new Map(named.map(({ name, value }) => [name, value]));
    const advertised = own?.prefixAdvertisements ?? this.#cluster?.prefixAdvertisements ?? [];
    const found = advertised.flatMap(({ cidr, communities = [] }) => {
      const prefix = canonicalPrefix(cidr);
      if (prefix === undefined || communities.length === 0) return [];
      return [{ cidr: prefix, values: communities.map((text) => valueOf.get(text) ?? text) }];
    });
    return found.length === 0 ? undefined : found;
  }

  debug(node: string): BgpPlan['debug'] {
    const severity = this.#specs.get(`node.${node}`)?.logSeverityScreen ?? this.#cluster?.logSeverityScreen ?? 'Info';
    const byWord: Readonly<Record<string, BgpPlan['debug']>> = { debug: 'all', info: 'states' };
    return byWord[severity.toLowerCase()] ?? 'none';
  }

  get problems(): ReadonlyMap<string, readonly string[]> {
    const problems = new Map<string, readonly string[]>();
    if (this.#cluster?.nodeMeshPassword !== undefined) {
      problems.set('BGPConfiguration default', [
        'spec.nodeMeshPassword: passwords from Secrets are not built yet: the mesh goes without',
      ]);
    }
    return problems;
  }

  get #cluster(): BGPConfiguration['spec'] | undefined {
    return this.#specs.get('default');
  }
}
