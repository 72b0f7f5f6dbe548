/** A container on a network, by whatever names it is asked for. */
export interface NamedEndpoint {
  /** Name of the host that it is on. */
  readonly node: string;
  readonly network: string;
  /** First the container's own name; then short id and aliases. */
  readonly names: readonly string[];
  /** Bare, canonical. */
  readonly addresses: readonly string[];
}

/** Who is called what on which network, over all hosts. Names are compared as DNS does, upper case or not. */
export class NameDirectory {
  readonly #byKey = new Map<string, NamedEndpoint>();
  /** `name` → key → endpoint. */
  readonly #byName = new Map<string, Map<string, NamedEndpoint>>();
  readonly #byAddress = new Map<string, Map<string, NamedEndpoint>>();

  /** @param endpoint undefined: it is gone */
  set(key: string, endpoint: NamedEndpoint | undefined): void {
    const old = this.#byKey.get(key);
    if (old !== undefined) this.#each(old, (index, name) => removeFrom(index, name, key));
    this.#byKey.delete(key);
    if (endpoint === undefined) return;
    this.#byKey.set(key, endpoint);
    this.#each(endpoint, (index, name) => addTo(index, name, key, endpoint));
  }

  /** Endpoints that a question may mean: `workload-E` on any network, `workload-E.net1` on that one. */
  named(text: string): readonly NamedEndpoint[] {
    const name = text.toLowerCase();
    const found = [...(this.#byName.get(name)?.values() ?? [])];
    // Names of containers and of networks may have dots themselves: every dot may be the one between them.
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const network = name.slice(dot + 1);
      for (const endpoint of this.#byName.get(name.slice(0, dot))?.values() ?? []) {
        if (endpoint.network.toLowerCase() === network) found.push(endpoint);
      }
    }
    return found;
  }

  withAddress(address: string): readonly NamedEndpoint[] {
    return [...(this.#byAddress.get(address)?.values() ?? [])];
  }

  #each(
    { names, addresses }: NamedEndpoint,
    visit: (index: Map<string, Map<string, NamedEndpoint>>, name: string) => void,
  ): void {
    for (const name of names) visit(this.#byName, name.toLowerCase());
    for (const address of addresses) visit(this.#byAddress, address);
  }
}

function addTo(
  index: Map<string, Map<string, NamedEndpoint>>,
  name: string,
  key: string,
  endpoint: NamedEndpoint,
): void {
  const there = index.get(name) ?? new Map<string, NamedEndpoint>();
  index.set(name, there.set(key, endpoint));
}

function removeFrom(index: Map<string, Map<string, NamedEndpoint>>, name: string, key: string): void {
  const there = index.get(name);
  there?.delete(key);
  if (there?.size === 0) index.delete(name);
}
