import { uplinkMtu } from '../../features/host-conditions.js';
import { addWorkloadAddress, removeWorkloadAddress } from '../../workload/address.js';
import { attachWorkload } from '../../workload/attach.js';
import { detachWorkload } from '../../workload/detach.js';
import { findInterfaces } from '../../workload/interface.js';

/** What the container commands do to this host's kernel, so that tests can stand in for it. */
export interface ContainerKernel {
  attach: typeof attachWorkload;
  detach: typeof detachWorkload;
  addAddress: typeof addWorkloadAddress;
  removeAddress: typeof removeWorkloadAddress;
  findInterfaces: typeof findInterfaces;
  mtu: typeof uplinkMtu;
}

/** For a dry run: looks, and changes nothing. What the kernel would refuse it does not know. */
export function unchangedKernel({ findInterfaces: find, mtu }: ContainerKernel): ContainerKernel {
  const nobody = { hostIndex: 0, containerIndex: 0, mac: '00:00:00:00:00:00', hostMac: '00:00:00:00:00:00' };
  return {
    attach: () => Promise.resolve(nobody),
    detach: () => Promise.resolve(true),
    addAddress: () => Promise.resolve(),
    removeAddress: () => Promise.resolve(true),
    findInterfaces: find,
    mtu,
  };
}

export const thisKernel: ContainerKernel = {
  attach: attachWorkload,
  detach: detachWorkload,
  addAddress: addWorkloadAddress,
  removeAddress: removeWorkloadAddress,
  findInterfaces,
  mtu: uplinkMtu,
};
