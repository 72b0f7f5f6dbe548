import { expect } from 'vitest';
import { KernelError } from '../base/errors.js';
import type { Nftables, SeenTable } from './nftables.js';
import { baseChain, chain, counter, set, table, verdictMap } from './objects.js';
import { printTable } from './print.js';
import { Transaction } from './transaction.js';

export const T = table('inet', 'contract');
export const FORWARD = baseChain(T, 'forward', { type: 'filter', hook: 'forward', priority: 0, policy: 'accept' });
export const POSTROUTING = baseChain(T, 'postrouting', {
  type: 'nat',
  hook: 'postrouting',
  priority: 110,
  policy: 'accept',
});
export const A = chain(T, 'a');
export const B = chain(T, 'b');
export const C = chain(T, 'c');
export const HOSTS = set(T, 'hosts', 'ipv4_addr');
export const NETS = set(T, 'nets', 'ipv4_addr', { interval: true });
export const PORTS = set(T, 'ports', ['ipv4_addr', 'inet_proto', 'inet_service'], { interval: true });
export const NAMED = set(T, 'named', ['ipv4_addr', 'inet_proto', 'inet_service']);
export const DISPATCH = verdictMap(T, 'dispatch', 'ifname');
export const HITS = counter(T, 'hits');

/** A ruleset of its own for one test; closed after it. */
export interface NftablesUnderTest {
  readonly nftables: Nftables;
  close(): void;
}

/** One ruleset with an empty table {@link T}, and what tests of the contract do with it. */
export class Subject {
  readonly nftables: Nftables;

  constructor(nftables: Nftables) {
    this.nftables = nftables;
  }

  change(): Transaction {
    return new Transaction(this.nftables);
  }

  async read(): Promise<SeenTable> {
    const seen = await this.nftables.readTable(T);
    if (seen === undefined) throw new Error('the table is not there');
    return seen;
  }

  async text(): Promise<string> {
    return printTable(await this.read());
  }

  /** Keys of a set's elements. */
  async keys(name: string): Promise<readonly string[]> {
    return (await this.read()).sets.get(name)?.elements.map(({ key }) => key) ?? [];
  }

  /** The commit fails with the errno, names the operation, and changes nothing. */
  async refused(transaction: Transaction, errno: string, operation: string): Promise<void> {
    const before = await this.nftables.readTable(T);
    const error: unknown = await transaction.commit().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(KernelError);
    if (error instanceof KernelError) expect([error.errnoName, error.operation]).toEqual([errno, operation]);
    const after = await this.nftables.readTable(T);
    expect(after === undefined ? '' : printTable(after)).toBe(before === undefined ? '' : printTable(before));
  }
}
