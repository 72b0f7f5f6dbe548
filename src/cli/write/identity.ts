import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';

interface Identity {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown } | null;
}

/** The first field by which what was typed is another resource, with its old value; undefined where it is the same one. */
export function changedIdentity(
  before: PublicResourceByKind[PublicKind],
  typed: unknown,
): { readonly field: string; readonly was: string } | undefined {
  const { apiVersion, kind, metadata } = (typed ?? {}) as Identity;
  const fields = [
    ['apiVersion', before.apiVersion, apiVersion],
    ['kind', before.kind, kind],
    ['metadata.name', before.metadata.name, metadata?.name],
    ['metadata.namespace', before.metadata.namespace, metadata?.namespace],
  ] as const;
  const [field, was] = fields.find(([, old, now]) => old !== now) ?? [];
  return field === undefined ? undefined : { field, was: was ?? '' };
}
