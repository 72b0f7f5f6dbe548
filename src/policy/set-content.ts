import { formatPrefix, networkOf, tryParsePrefix } from '../net/prefix.js';

/** The protocols that named ports can have, as they stand in members of port sets. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';

export interface NamedPort {
  readonly name: string;
  readonly protocol: PortProtocol;
  readonly port: number;
}

/** `192.0.2.7` → `192.0.2.7/32`, host bits cleared; undefined when it is no prefix. */
export function canonicalPrefix(text: string): string | undefined {
  const prefix = tryParsePrefix(text);
  return prefix === undefined ? undefined : formatPrefix(networkOf(prefix));
}

function canonicalNets(nets: readonly string[]): readonly string[] {
  const canonical = new Set(nets.map(canonicalPrefix).filter((net) => net !== undefined));
  // Most are canonical already: keep the list we were given then, it is shared with the resource.
  return canonical.size === nets.length && nets.every((net) => canonical.has(net)) ? nets : [...canonical];
}

/**
 * What an endpoint or a network set brings into the sets that select it. Made cheaply for everything in the cluster; the members are
 * worked out when a set first asks for them.
 */
export class SetContent {
  readonly #nets: readonly string[];
  readonly #ports: readonly NamedPort[];
  #canonical: readonly string[] | undefined;

  /** @param nets CIDRs or bare addresses, as stored; unreadable ones bring nothing */
  constructor(nets: readonly string[], ports: readonly NamedPort[] = []) {
    this.#nets = nets;
    this.#ports = ports;
  }

  /** Canonical prefixes, without duplicates. */
  get prefixes(): readonly string[] {
    this.#canonical ??= canonicalNets(this.#nets);
    return this.#canonical;
  }

  /** `192.0.2.7,tcp:80` for every address and every port of that name (and protocol, when one is asked for). */
  portMembers(name: string, protocol: PortProtocol | undefined): readonly string[] {
    const members = new Set<string>();
    for (const port of this.#ports) {
      if (port.name !== name || (protocol !== undefined && port.protocol !== protocol)) continue;
      for (const prefix of this.prefixes) {
        members.add(`${prefix.slice(0, prefix.lastIndexOf('/'))},${port.protocol}:${port.port}`);
      }
    }
    return [...members];
  }

  equals(other: SetContent): boolean {
    return (
      this.#nets.length === other.#nets.length &&
      this.#nets.every((net, i) => net === other.#nets[i]) &&
      this.#ports.length === other.#ports.length &&
      this.#ports.every((port, i) => samePort(port, other.#ports[i]))
    );
  }
}

function samePort(a: NamedPort, b: NamedPort | undefined): boolean {
  return b !== undefined && a.name === b.name && a.protocol === b.protocol && a.port === b.port;
}
