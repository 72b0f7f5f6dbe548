import { KernelNftables } from '../../../src/nftables/kernel.js';
import { describeNftables } from '../../../src/nftables/nftables.contract.js';
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
