import * as v from 'valibot';
import { defineInternalKind, type InternalValueOf } from '../meta.js';

/** Who holds some addresses of a block: one entry may be shared by several ordinals. */
const attribute = v.looseObject({
  handle_id: v.exactOptional(v.string()),
  secondary: v.exactOptional(v.record(v.string(), v.string())),
  alternateOwnerAttrs: v.exactOptional(v.record(v.string(), v.string())),
  /** RFC 3339; the address cools down and nothing else is set. */
  releasedAt: v.exactOptional(v.string()),
});

/**
 * A block of addresses, field for field as it is stored. Its name is its CIDR: `192.168.0.0/26`.
 *
 * Sequence numbers begin at the Unix time in nanoseconds, beyond what a number holds exactly: hence bigint.
 */
export const ipamBlock = defineInternalKind({
  kind: 'IPAMBlock',
  value: v.looseObject({
    cidr: v.string(),
    /** `host:<node>` or `virtual:<name>`; absent when nobody claims the block. */
    affinity: v.exactOptional(v.string()),
    affinity_claim_time: v.exactOptional(v.string()),
    /** One slot an ordinal: null is free, a number is an index into `attributes`. */
    allocations: v.array(v.nullable(v.number())),
    /** Free ordinals, next to be assigned first. */
    unallocated: v.array(v.number()),
    attributes: v.array(attribute),
    /** Plus one with every write of the block. */
    sequenceNumber: v.exactOptional(v.bigint()),
    /** Ordinal → the block's sequence number when it was assigned or released. */
    sequenceNumberForAllocation: v.exactOptional(v.record(v.string(), v.bigint())),
    deleted: v.exactOptional(v.boolean()),
    /** Deprecated: read only. */
    strictAffinity: v.exactOptional(v.boolean()),
    /** Deprecated: read only. */
    hostAffinity: v.exactOptional(v.string()),
  }),
});

export type IPAMBlock = InternalValueOf<typeof ipamBlock>;
export type IPAMBlockAttribute = IPAMBlock['attributes'][number];
