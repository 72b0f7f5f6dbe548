import * as v from 'valibot';
import { defineInternalKind, type InternalValueOf } from '../meta.js';

/** Which host (or virtual owner) claims a block; its name says both: `host:calico-01/192.168.0.0/26`. */
export const blockAffinity = defineInternalKind({
  kind: 'BlockAffinity',
  value: v.looseObject({
    /** Absent or empty means confirmed. */
    state: v.exactOptional(v.picklist(['', 'confirmed', 'pending', 'pendingDeletion'])),
    deleted: v.exactOptional(v.boolean()),
  }),
});

export type BlockAffinity = InternalValueOf<typeof blockAffinity>;

export interface BlockAffinityName {
  readonly type: 'host' | 'virtual';
  readonly owner: string;
  /** The block: `192.168.0.0/26`. */
  readonly cidr: string;
}

export function formatBlockAffinityName(name: BlockAffinityName): string {
  return `${name.type}:${name.owner}/${name.cidr}`;
}

/** The inverse of {@link formatBlockAffinityName}, undefined for other text. */
export function parseBlockAffinityName(name: string): BlockAffinityName | undefined {
  const match = /^(host|virtual):([^/]+)\/([0-9a-f.:]+\/\d+)$/.exec(name);
  const [, type, owner, cidr] = match ?? [];
  if ((type !== 'host' && type !== 'virtual') || owner === undefined || cidr === undefined) return undefined;
  return { type, owner, cidr };
}
