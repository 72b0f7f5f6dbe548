import { existsSync } from 'node:fs';
import type { AttributeWriter } from '../netlink/attributes.js';
import { createLink } from '../netlink/route/link.js';
import { EAFNOSUPPORT, EINVAL, ENOENT, EOPNOTSUPP } from '../sys/errno.js';
import { tryConntrackList, tryFib, tryInetNat, tryInetTable } from './nftables-probes.js';
import type { Feature, Scratch } from './probe.js';

const EPROTONOSUPPORT = 93;
const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_PORT = 15;

type LinkKind = 'ipip' | 'vxlan' | 'wireguard' | 'dummy';

function attemptLink(kind: LinkKind, data?: (writer: AttributeWriter) => void) {
  return async (scratch: Scratch): Promise<boolean> => {
    await createLink(scratch.route(), { name: 'probe0', kind, ...(data === undefined ? {} : { data }) });
    return true;
  };
}

/** Everything the project uses that a kernel may lack. */
export const kernelFeatures = {
  nfTables: {
    name: 'nf-tables',
    title: 'nf_tables is',
    since: '3.14',
    lost: 'no policy can be enforced on this host',
    hint: 'load the module nf_tables, or boot a kernel built with CONFIG_NF_TABLES_INET',
    attempt: async (scratch) => {
      await tryInetTable(scratch.netfilter());
      return true;
    },
    // EINVAL: nfnetlink knows no such subsystem; EPROTONOSUPPORT: there is no nfnetlink at all.
    absentErrnos: [EINVAL, EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT],
  },
  inetNat: {
    name: 'inet-nat',
    title: 'NAT in inet tables is',
    since: '5.2',
    lost: 'pools with natOutgoing leave with the address of the workload',
    hint: 'load the module nft_chain_nat',
    attempt: async (scratch) => {
      await tryInetNat(scratch.netfilter());
      return true;
    },
    absentErrnos: [ENOENT, EINVAL, EOPNOTSUPP, EPROTONOSUPPORT],
  },
  fib: {
    name: 'fib',
    title: 'the fib expression is',
    since: '4.10',
    lost: 'forged source addresses are caught by rp_filter only, and for IPv6 not at all',
    hint: 'load the module nft_fib_inet',
    attempt: async (scratch) => {
      await tryFib(scratch.netfilter());
      return true;
    },
    absentErrnos: [ENOENT, EINVAL, EOPNOTSUPP, EPROTONOSUPPORT],
  },
  conntrackNetlink: {
    name: 'conntrack-netlink',
    title: 'conntrack over netlink is',
    since: '2.6.14',
    lost: 'connections of a workload that is gone are tracked until they time out',
    hint: 'load the module nf_conntrack_netlink',
    attempt: async (scratch) => {
      await tryConntrackList(scratch.netfilter());
      return true;
    },
    absentErrnos: [EINVAL, EOPNOTSUPP, EPROTONOSUPPORT],
  },
  ipip: {
    name: 'ipip',
    title: 'IPIP is',
    since: '2.2',
    lost: 'pools with ipipMode get no tunnel on this host; their policy is enforced',
    hint: 'load the module ipip, or give the pool ipipMode: Never and vxlanMode: Always',
    attempt: attemptLink('ipip'),
    absentErrnos: [EOPNOTSUPP],
  },
  vxlan: {
    name: 'vxlan',
    title: 'VXLAN is',
    since: '3.7',
    lost: 'pools with vxlanMode get no tunnel on this host; their policy is enforced',
    hint: 'load the module vxlan, or give the pool vxlanMode: Never and ipipMode: Always',
    attempt: attemptLink('vxlan', (data) => data.u32(IFLA_VXLAN_ID, 4096).u16BE(IFLA_VXLAN_PORT, 4789)),
    absentErrnos: [EOPNOTSUPP],
  },
  wireguard: {
    name: 'wireguard',
    title: 'WireGuard is',
    since: '5.6',
    lost: 'traffic between this host and others is not encrypted',
    hint: 'load the module wireguard',
    attempt: attemptLink('wireguard'),
    absentErrnos: [EOPNOTSUPP],
  },
  dummy: {
    name: 'dummy',
    title: 'the dummy interface is',
    since: '2.2',
    lost: 'addresses that belong to no link have no interface to sit on',
    hint: 'load the module dummy',
    attempt: attemptLink('dummy'),
    absentErrnos: [EOPNOTSUPP],
  },
  ipv6: {
    name: 'ipv6',
    title: 'IPv6 is',
    since: '2.2',
    lost: 'workloads get IPv4 addresses only',
    hint: 'boot without ipv6.disable=1, or set FELIX_IPV6SUPPORT=false',
    attempt: () => Promise.resolve(existsSync('/proc/sys/net/ipv6')),
    absentErrnos: [],
  },
} as const satisfies Record<string, Feature>;
