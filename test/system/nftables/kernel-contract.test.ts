import { describe, expect, test } from 'vitest';
import { UnsupportedError } from '../../../src/base/errors.js';
import { KernelNftables } from '../../../src/nftables/kernel.js';
import { describeNftables } from '../../../src/nftables/nftables.contract.js';
import { chain, table } from '../../../src/nftables/objects.js';
import { rule } from '../../../src/nftables/rule.js';
import { drop } from '../../../src/nftables/statements.js';
import { Transaction } from '../../../src/nftables/transaction.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

describeNftables('the kernel', () => {
  const namespace = NetworkNamespace.create();
  const nftables = KernelNftables.open({ namespace });
  return {
    nftables,
    close: () => {
      nftables.close();
      namespace.close();
    },
  };
});

describe('the kernel alone', () => {
  test('names the expression it does not have', async () => {
    using namespace = NetworkNamespace.create();
    using nftables = KernelNftables.open({ namespace });
    const T = table('inet', 't');
    const X = chain(T, 'x');
    const missing = { expressions: [{ type: 'unknown' as const, name: 'teleport', raw: undefined }] };
    const error: unknown = await new Transaction(nftables)
      .add(T)
      .add(X)
      .add(rule(X, [missing, drop]))
      .commit()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ feature: 'nf_tables expression teleport' });
    expect(await nftables.readTable(T)).toBeUndefined();
  });
});
