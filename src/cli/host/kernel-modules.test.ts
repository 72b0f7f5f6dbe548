import { describe, expect, test } from 'vitest';
import { findModules, KERNEL_MODULES, type ModuleSources } from './kernel-modules.js';

const none: ModuleSources = { config: '', builtin: '', available: '', loaded: '' };

function presenceOf(name: string, sources: Partial<ModuleSources>): string | undefined {
  const found = findModules({ ...none, ...sources });
  const module = KERNEL_MODULES.find((candidate) => candidate.name === name);
  return module === undefined ? undefined : found.get(module);
}

describe('findModules()', () => {
  test.each<readonly [string, Partial<ModuleSources>, string | undefined]>([
    ['xt_set', { loaded: 'xt_set 16384 2 - Live 0x0\nip_set 1 1 xt_set, Live 0x0\n' }, 'loaded'],
    ['xt_set', { builtin: 'kernel/net/netfilter/xt_set.ko\n' }, 'built in'],
    ['xt_set', { available: 'kernel/net/netfilter/xt_set.ko.xz: kernel/net/netfilter/x_tables.ko.xz\n' }, 'available'],
    ['xt_set', { available: 'kernel/a.ko: kernel/net/netfilter/xt_set.ko\n' }, undefined],
    ['xt_set', { config: 'CONFIG_NETFILTER_XT_SET=m\n' }, 'available'],
    ['xt_set', { config: '# CONFIG_NETFILTER_XT_SET is not set\n' }, undefined],
    ['xt_mark', { config: 'CONFIG_NETFILTER_XT_MATCH_MARK=y\n' }, 'built in'],
    ['ipt_REJECT', { loaded: 'xt_REJECT 1 0 - Live 0x0\n' }, 'loaded'],
    ['xt_rpfilter', { available: 'kernel/net/ipv4/netfilter/ipt_rpfilter.ko:\n' }, 'available'],
    ['vfio-pci', { available: 'kernel/drivers/vfio/pci/vfio-pci.ko:\n' }, 'available'],
    ['ip_set', { loaded: 'ip_set_hash_ip 1 0 - Live 0x0\n' }, undefined],
  ])('%s in %j is %s', (name, sources, presence) => {
    expect(presenceOf(name, sources)).toBe(presence);
  });
});
