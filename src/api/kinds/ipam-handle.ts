import * as v from 'valibot';
import { defineInternalKind, type InternalValueOf } from '../meta.js';

/** How many addresses of which blocks one owner holds. Its name is the handle's id, which the value does not repeat. */
export const ipamHandle = defineInternalKind({
  kind: 'IPAMHandle',
  value: v.looseObject({
    /** CIDR of the block → number of addresses. */
    block: v.record(v.string(), v.number()),
    deleted: v.exactOptional(v.boolean()),
  }),
});

export type IPAMHandle = InternalValueOf<typeof ipamHandle>;
