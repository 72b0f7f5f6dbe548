import * as v from 'valibot';
import { defineInternalKind, type InternalValueOf } from '../meta.js';

/** How addresses are assigned, field for field as stored (the mixed spelling is the wire's). Its name is `default`. */
export const ipamConfiguration = defineInternalKind({
  kind: 'IPAMConfiguration',
  value: v.looseObject({
    strict_affinity: v.exactOptional(v.boolean()),
    auto_allocate_blocks: v.exactOptional(v.boolean()),
    maxBlocksPerHost: v.exactOptional(v.number()),
    kubeVirtVMAddressPersistence: v.exactOptional(v.picklist(['Enabled', 'Disabled'])),
    ipCooldownSeconds: v.exactOptional(v.number()),
  }),
});

export type IPAMConfiguration = InternalValueOf<typeof ipamConfiguration>;
