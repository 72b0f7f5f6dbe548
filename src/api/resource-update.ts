import type { Kind, ResourceByKind } from './registry.js';

/** Names one object. IPAM's internal kinds have names of their own form, see their files in `kinds/`. */
export interface ResourceKey<K extends Kind = Kind> {
  readonly kind: K;
  /** Present exactly for namespaced kinds. */
  readonly namespace?: string;
  readonly name: string;
}

/**
 * What the syncer says of one object: its new value, or that there is none (deleted, or stored bytes that are not valid).
 * Distributes over kinds, so that a switch on `kind` narrows the value.
 */
export type ResourceUpdate<K extends Kind = Kind> = {
  readonly [Each in K]: {
    readonly kind: Each;
    readonly key: ResourceKey<Each>;
    readonly value: ResourceByKind[Each] | undefined;
    readonly revision: string;
  };
}[K];
