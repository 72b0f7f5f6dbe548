import { describe, expect, test } from 'vitest';
import { kernelFeatures } from '../../features/kernel-features.js';
import { featureSection, kernelSection, moduleSection, summarize } from './check-system.js';
import { KERNEL_MODULES } from './kernel-modules.js';
import { formatBlock } from '../printer.js';

const whole = {
  config: KERNEL_MODULES.map(({ options }) => `CONFIG_${options[0] ?? ''}=y\n`).join(''),
  builtin: '',
  available: '',
  loaded: '',
};
const ending = 'System meets minimum system requirements to run Calico!\n';
const text = (result: ReturnType<typeof summarize>): string => (result.output ?? []).map(formatBlock).join('');

describe('checksystem', () => {
  test('a kernel that has everything meets the requirements', () => {
    const reports = Object.values(kernelFeatures).map((feature) => ({ feature, outcome: 'yes' as const }));
    const result = summarize([kernelSection('6.1.0-18-amd64'), featureSection(reports), moduleSection(whole, true)]);
    expect(result.errors).toBeUndefined();
    expect(text(result)).toContain('    6.1.0-18-amd64              OK\n');
    expect(text(result)).toContain('    nf-tables                   OK\n');
    expect(text(result)).toContain('    xt_set                      OK (built in)\n');
    expect(text(result).endsWith(ending)).toBe(true);
  });

  test('without nf_tables it does not, and says what to do', () => {
    const report = { feature: kernelFeatures.nfTables, outcome: 'no' as const };
    const result = summarize([featureSection([report])]);
    expect(result.errors).toEqual(["system doesn't meet one or more minimum systems requirements to run Calico"]);
    expect(text(result)).toContain('FAILED: no policy can be enforced on this host; load the module nf_tables');
    expect(text(result)).not.toContain(ending);
  });

  test('an old kernel, and a configuration without what is needed, do not', () => {
    expect(summarize([kernelSection('2.6.32-7')]).errors).toHaveLength(1);
    expect(summarize([kernelSection('3.14.0')]).errors).toBeUndefined();
    const without = { ...whole, config: whole.config.replace('CONFIG_NF_TABLES=y', '# CONFIG_NF_TABLES is not set') };
    expect(summarize([moduleSection(without, true)]).errors).toHaveLength(1);
    expect(summarize([moduleSection(without, false)]).errors).toBeUndefined();
  });

  test('what only others need, or only some pools, is a warning', () => {
    const without = { ...whole, config: whole.config.replace('CONFIG_IP_SET=y', '') };
    const report = { feature: kernelFeatures.ipip, outcome: 'no' as const };
    const result = summarize([featureSection([report]), moduleSection(without, true)]);
    expect(result.errors).toBeUndefined();
    expect(text(result)).toContain('WARNING: not found; needed by other Calico agents only');
    expect(text(result)).toContain('WARNING: pools with ipipMode get no tunnel on this host');
  });
});
