import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { CalicoError } from '../../base/errors.js';
import { whyUnreadable } from '../unreadable.js';

/** A piece of the kernel, by the name of its module and by the options of a kernel's configuration that build it. */
export interface KernelModule {
  readonly name: string;
  /** Without `CONFIG_`; any of them. */
  readonly options: readonly string[];
  /**
   * `needed`: without it nothing is enforced here. `others`: other Calico agents on this kernel need it, this one does not. `optional`:
   * the same, for what those can do without.
   */
  readonly use: 'needed' | 'others' | 'optional';
}

const needed = (name: string, ...options: readonly string[]): KernelModule => ({ name, options, use: 'needed' });
const others = (name: string, ...options: readonly string[]): KernelModule => ({ name, options, use: 'others' });
const optional = (name: string, ...options: readonly string[]): KernelModule => ({ name, options, use: 'optional' });

export const KERNEL_MODULES: readonly KernelModule[] = [
  needed('nf_tables', 'NF_TABLES'),
  needed('nf_conntrack', 'NF_CONNTRACK'),
  needed('nft_ct', 'NFT_CT'),
  needed('veth', 'VETH'),
  others('nf_conntrack_netlink', 'NF_CT_NETLINK'),
  others('ip_set', 'IP_SET'),
  others('ip_tables', 'IP_NF_IPTABLES'),
  others('ipt_ipvs', 'NETFILTER_XT_MATCH_IPVS'),
  others('vfio-pci', 'VFIO_PCI'),
  others('ipt_REJECT', 'IP_NF_TARGET_REJECT'),
  others('xt_rpfilter', 'IP_NF_MATCH_RPFILTER'),
  others('xt_addrtype', 'NETFILTER_XT_MATCH_ADDRTYPE'),
  others('xt_conntrack', 'NETFILTER_XT_MATCH_CONNTRACK'),
  others('xt_mark', 'NETFILTER_XT_MARK', 'NETFILTER_XT_MATCH_MARK'),
  others('xt_multiport', 'NETFILTER_XT_MATCH_MULTIPORT'),
  others('xt_set', 'NETFILTER_XT_SET'),
  optional('ip6_tables', 'IP6_NF_IPTABLES'),
  optional('xt_bpf', 'NETFILTER_XT_MATCH_BPF'),
  optional('xt_u32', 'NETFILTER_XT_MATCH_U32'),
];

/** What tells which modules a kernel has. Texts are empty where there is no such file. */
export interface ModuleSources {
  readonly config: string;
  readonly builtin: string;
  readonly available: string;
  readonly loaded: string;
}

export type Presence = 'loaded' | 'built in' | 'available';

/** Modules were renamed from `ipt_` to `xt_` over time, and files write `-` for `_`. */
function namesOf(module: string): ReadonlySet<string> {
  const plain = module.replaceAll('-', '_');
  const bare = plain.replace(/^(ipt|xt|ip6t)_/, '');
  const renamed = bare === plain ? [] : ['ipt', 'xt', 'ip6t'].map((prefix) => `${prefix}_${bare}`);
  return new Set([plain, ...renamed]);
}

/** Names in `kernel/net/netfilter/xt_set.ko.xz: …` lines. */
function namesOfFiles(text: string): ReadonlySet<string> {
  const names = [...text.matchAll(/^\S*?([^/\s]+)\.ko(?:\.\w+)?(?::|$)/gm)].map(([, name = '']) => name);
  return new Set(names.map((name) => name.replaceAll('-', '_')));
}

function hasAny(names: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean {
  return [...wanted].some((name) => names.has(name));
}

/** How a kernel has each of the modules; undefined for one that was not found. */
export function findModules(
  sources: ModuleSources,
  modules: readonly KernelModule[] = KERNEL_MODULES,
): ReadonlyMap<KernelModule, Presence | undefined> {
  const loaded = new Set([...sources.loaded.matchAll(/^(\S+)/gm)].map(([, name = '']) => name));
  const builtin = namesOfFiles(sources.builtin);
  const available = namesOfFiles(sources.available);
  const options = new Map([...sources.config.matchAll(/^CONFIG_(\w+)=([ym])$/gm)].map(([, name, how]) => [name, how]));
  return new Map(
    modules.map((module) => {
      const wanted = namesOf(module.name);
      const configured = module.options.map((option) => options.get(option));
      const presence: Presence | undefined = hasAny(loaded, wanted)
        ? 'loaded'
        : hasAny(builtin, wanted) || configured.includes('y')
          ? 'built in'
          : hasAny(available, wanted) || configured.includes('m')
            ? 'available'
            : undefined;
      return [module, presence];
    }),
  );
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // Each kernel has some of these files and not others.
    return '';
  }
}

async function runningConfig(kernel: string): Promise<string> {
  try {
    const [{ gunzipSync }, packed] = await Promise.all([import('node:zlib'), readFile('/proc/config.gz')]);
    return gunzipSync(packed).toString('utf8');
  } catch {
    // Not built into this kernel: distributions keep the file elsewhere.
    return (await textOf(`/boot/config-${kernel}`)) || (await textOf(`/usr/lib/modules/${kernel}/config`));
  }
}

/**
 * Reads what this host says of its kernel's modules.
 *
 * @param configFile a kernel's configuration, in place of the running one's
 * @throws {CalicoError} `ERR_CALI_CLI_KERNEL_CONFIG` it cannot be read
 */
export async function readModuleSources(configFile: string | undefined): Promise<ModuleSources> {
  const kernel = release();
  const folder = `/lib/modules/${kernel}`;
  const [builtin, available, loaded] = await Promise.all([
    textOf(`${folder}/modules.builtin`),
    textOf(`${folder}/modules.dep`),
    textOf('/proc/modules'),
  ]);
  if (configFile === undefined) return { config: await runningConfig(kernel), builtin, available, loaded };
  try {
    return { config: await readFile(configFile, 'utf8'), builtin, available, loaded };
  } catch (cause) {
    const what = `cannot read the kernel configuration "${configFile}"`;
    throw new CalicoError('ERR_CALI_CLI_KERNEL_CONFIG', `${what}: ${whyUnreadable(cause)}`, {
      hint: 'name one, such as /boot/config-$(uname -r), or leave --kernel-config out',
      cause,
    });
  }
}
