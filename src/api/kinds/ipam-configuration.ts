import * as v from 'valibot';
import { integer } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainNotDefault } from '../names.js';

/**
 * The spelling of the fields in the store, which mixes two styles. A field whose value is Go's zero is left out there, so what is missing
 * is false or 0; yet where there is no strict affinity blocks are always claimed, whatever is missing.
 */
const STORED_NAMES = { strictAffinity: 'strict_affinity', autoAllocateBlocks: 'auto_allocate_blocks' } as const;

/** How addresses are assigned. Stored as IPAM's own record, without metadata: see `keys.ts`. */
export const ipamConfiguration = defineKind({
  kind: 'IPAMConfiguration',
  plural: 'ipamconfigurations',
  namespaced: false,
  aliases: ['ipamconfig', 'ipamconfigs'],
  spec: v.strictObject({
    strictAffinity: v.exactOptional(v.boolean()),
    autoAllocateBlocks: v.exactOptional(v.boolean()),
    maxBlocksPerHost: v.exactOptional(integer(0, 1_000_000)),
    kubeVirtVMAddressPersistence: v.exactOptional(v.picklist(['Enabled', 'Disabled'])),
    ipCooldownSeconds: v.exactOptional(integer(0, 1200)),
  }),
  bareSpec: {
    toStored: ({ strictAffinity = false, autoAllocateBlocks = true, ...rest }) => ({
      [STORED_NAMES.strictAffinity]: strictAffinity,
      [STORED_NAMES.autoAllocateBlocks]: autoAllocateBlocks,
      ...rest,
    }),
    fromStored: (stored) => {
      const {
        [STORED_NAMES.strictAffinity]: strictAffinity = false,
        [STORED_NAMES.autoAllocateBlocks]: autoAllocateBlocks = strictAffinity !== true,
        ...rest
      } = stored;
      return { strictAffinity, autoAllocateBlocks, ...rest };
    },
  },
  explainBadName: explainNotDefault,
  crossFieldRules: ({ spec: { strictAffinity, autoAllocateBlocks, maxBlocksPerHost = 0 } }) => [
    ...(autoAllocateBlocks === false && strictAffinity !== true
      ? [ruleIssue('spec.autoAllocateBlocks', 'it can be false only where strictAffinity is true')]
      : []),
    ...(maxBlocksPerHost > 0 && strictAffinity !== true
      ? [ruleIssue('spec.maxBlocksPerHost', 'it needs strictAffinity')]
      : []),
  ],
  writeDefaults: (spec) => ({
    ...spec,
    strictAffinity: spec.strictAffinity ?? false,
    autoAllocateBlocks: spec.autoAllocateBlocks ?? true,
    maxBlocksPerHost: spec.maxBlocksPerHost ?? 0,
  }),
  examples: {
    valid: { metadata: { name: 'default' }, spec: { strictAffinity: true, maxBlocksPerHost: 4 } },
    wrong: {
      metadata: { name: 'default' },
      spec: { strictAffinity: false, autoAllocateBlocks: false },
      message: 'spec.autoAllocateBlocks: it can be false only where strictAffinity is true',
    },
  },
});

export type IPAMConfiguration = ResourceOf<typeof ipamConfiguration>;
