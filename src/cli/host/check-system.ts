import { access } from 'node:fs/promises';
import { release } from 'node:os';
import { kernelFeatures } from '../../features/kernel-features.js';
import { FeatureProbe, type FeatureReport } from '../../features/probe.js';
import {
  findModules,
  type KernelModule,
  type ModuleSources,
  type Presence,
  readModuleSources,
} from './kernel-modules.js';
import { type Block, line, type Result } from '../result.js';

/** The first kernel with nf_tables for both families in one table. */
const LEAST_KERNEL = [3, 14] as const;
const NAME_WIDTH = 28;
const MEETS = 'System meets minimum system requirements to run Calico!';
const MISSES = "system doesn't meet one or more minimum systems requirements to run Calico";

/** One thing looked at. */
interface Finding {
  readonly name: string;
  /** `OK`, or what is wrong. */
  readonly verdict: string;
  readonly isFatal?: boolean;
}

export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** A program that this product starts, and what is lost without it. */
const PROGRAMS = [
  { name: 'bird', lost: 'routes to other hosts are not exchanged: install bird2' },
  { name: 'etcd', lost: 'needed only on a host without a shared datastore: install etcd-server' },
] as const;

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export function kernelSection(kernel: string): Section {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(kernel) ?? []).map(Number);
  const isNew = major > LEAST_KERNEL[0] || (major === LEAST_KERNEL[0] && minor >= LEAST_KERNEL[1]);
  const verdict = isNew ? 'OK' : `FAILED: Linux ${LEAST_KERNEL.join('.')} or newer is needed`;
  return { title: 'Checking kernel version...', findings: [{ name: kernel, verdict, isFatal: !isNew }] };
}

export function featureSection(reports: readonly FeatureReport[]): Section {
  const findings = reports.map(({ feature, outcome, reason = '' }) => {
    const { name, lost } = feature;
    if (outcome === 'yes') return { name, verdict: 'OK' };
    if (outcome === 'unknown') return { name, verdict: `WARNING: could not tell: ${reason}` };
    const isFatal = name === kernelFeatures.nfTables.name;
    const hint = 'hint' in feature ? `; ${feature.hint}` : '';
    return { name, verdict: `${isFatal ? 'FAILED' : 'WARNING'}: ${lost}${hint}`, isFatal };
  });
  return { title: 'Checking kernel features...', findings };
}

function moduleVerdict(
  { use }: KernelModule,
  presence: Presence | undefined,
  mustBeThere: boolean,
): Finding['verdict'] {
  if (presence !== undefined) return `OK (${presence})`;
  if (use === 'needed') return mustBeThere ? 'FAILED: not found' : 'not found, but it works: see the features above';
  return `WARNING: not found; ${use === 'optional' ? 'optional for' : 'needed by'} other Calico agents only`;
}

/** @param mustBeThere whether absence is fatal: a kernel that runs has shown what it can do already */
export function moduleSection(sources: ModuleSources, mustBeThere: boolean): Section {
  const findings = [...findModules(sources)].map(([module, presence]) => ({
    name: module.name,
    verdict: moduleVerdict(module, presence, mustBeThere),
    isFatal: presence === undefined && module.use === 'needed' && mustBeThere,
  }));
  return { title: 'Checking kernel modules...', findings };
}

async function isInstalled(program: string): Promise<boolean> {
  const found = await Promise.allSettled(FOLDERS.map((folder) => access(`${folder}/${program}`)));
  return found.some(({ status }) => status === 'fulfilled');
}

async function programSection(): Promise<Section> {
  const findings = await Promise.all(
    PROGRAMS.map(async ({ name, lost }) => ({
      name,
      verdict: (await isInstalled(name)) ? 'OK' : `WARNING: not installed; ${lost}`,
    })),
  );
  return { title: 'Checking programs...', findings };
}

function blocksOf({ title, findings }: Section): Block[] {
  return [line(title), ...findings.map(({ name, verdict }) => line(`    ${name.padEnd(NAME_WIDTH)}${verdict}`))];
}

/** The report, and its last word. */
export function summarize(sections: readonly Section[]): Result {
  const output = sections.flatMap(blocksOf);
  const isFatal = sections.some(({ findings }) => findings.some((finding) => finding.isFatal === true));
  return isFatal ? { output, errors: [MISSES] } : { output: [...output, line(MEETS)] };
}

export interface CheckOptions {
  /** A kernel's configuration, to judge in place of the running one's. */
  readonly kernelConfig?: string | undefined;
  /** Further things to look at. */
  readonly more?: readonly Section[];
}

/**
 * Looks whether this host can do what the product needs: the kernel's features are tried in a network namespace of their own, which
 * goes away again; modules are looked up as well, for those who compare hosts by them.
 */
export async function checkSystem({ kernelConfig, more = [] }: CheckOptions): Promise<Result> {
  const sources = await readModuleSources(kernelConfig);
  const probe = new FeatureProbe();
  const reports: FeatureReport[] = [];
  for (const feature of Object.values(kernelFeatures)) reports.push(await probe.check(feature));
  return summarize([
    kernelSection(release()),
    featureSection(reports),
    moduleSection(sources, kernelConfig !== undefined),
    await programSection(),
    ...more,
  ]);
}
