import type { EtcdConfig } from '../../src/datastore/etcd/config.js';
import { EtcdConnection } from '../../src/datastore/etcd/connection.js';
import { rangeMethod, txnMethod } from '../../src/datastore/etcd/methods.js';

const NO_BYTES = Buffer.alloc(0);

/** Keys and bytes, past the datastore's own rules: what a foreign tool would read and write. */
export class RawEtcd {
  readonly #connection: EtcdConnection;

  constructor(config: EtcdConfig) {
    this.#connection = new EtcdConnection(config);
  }

  async put(path: string, text: string): Promise<void> {
    const requestPut = { key: Buffer.from(path), value: Buffer.from(text), lease: 0n };
    await this.#connection.call(txnMethod, { compare: [], success: [{ requestPut }], failure: [] });
  }

  /** The stored text, or undefined. */
  async get(path: string): Promise<string | undefined> {
    const request = { key: Buffer.from(path), rangeEnd: NO_BYTES, limit: 1n, revision: 0n, keysOnly: false };
    const { kvs } = await this.#connection.call(rangeMethod, request);
    return kvs[0]?.value.toString();
  }

  async deleteAll(): Promise<void> {
    const requestDeleteRange = { key: Buffer.of(0), rangeEnd: Buffer.of(0), prevKv: false };
    await this.#connection.call(txnMethod, { compare: [], success: [{ requestDeleteRange }], failure: [] });
  }

  close(): void {
    this.#connection.close();
  }
}
