/** Who claims what: of several claims to one key the lowest id wins, so that the winner does not depend on who came first. */
export class Claims<V> {
  readonly #byKey = new Map<string, Map<string, V>>();

  winner(key: string): V | undefined {
    const claims = this.#byKey.get(key);
    if (claims === undefined) return undefined;
    let lowest: string | undefined;
    for (const id of claims.keys()) if (lowest === undefined || id < lowest) lowest = id;
    return lowest === undefined ? undefined : claims.get(lowest);
  }

  set(key: string, id: string, value: V): void {
    let claims = this.#byKey.get(key);
    if (claims === undefined) this.#byKey.set(key, (claims = new Map()));
    claims.set(id, value);
  }

  delete(key: string, id: string): void {
    const claims = this.#byKey.get(key);
    if (claims?.delete(id) === true && claims.size === 0) this.#byKey.delete(key);
  }
}
