import * as v from 'valibot';
import { ValidationError } from '../base/errors.js';
import { describeKey } from './keys.js';
import { API_VERSION, type KindDefinition, type Metadata, type Resource, type SpecSchema } from './meta.js';
import {
  internalKinds,
  isInternalKind,
  isPublicKind,
  isTieredKind,
  type Kind,
  publicKinds,
  type ResourceByKind,
} from './registry.js';
import type { ResourceKey } from './resource-update.js';
import { lastMismatch, MISMATCH, type StructureReader, structureReader } from './stored-reader.js';

/** Label of policies that repeats their tier, for those who list by label. */
export const TIER_LABEL = 'projectcalico.org/tier';
/** Annotation that keeps a policy's name where the key may differ from it. */
export const METADATA_ANNOTATION = 'projectcalico.org/metadata';
export const DEFAULT_TIER = 'default';

const storedMetadata = v.looseObject({
  name: v.exactOptional(v.string()),
  namespace: v.exactOptional(v.string()),
  uid: v.exactOptional(v.string()),
  creationTimestamp: v.exactOptional(v.string()),
  generation: v.exactOptional(v.number()),
  resourceVersion: v.exactOptional(v.string()),
  labels: v.exactOptional(v.record(v.string(), v.string())),
  annotations: v.exactOptional(v.record(v.string(), v.string())),
});

type Mutable = Record<string, unknown>;

const readMetadata = structureReader(storedMetadata);
const readers = new Map<Kind, StructureReader>();

function storedSchema(kind: Kind): SpecSchema {
  return isInternalKind(kind) ? internalKinds[kind].value : (publicKinds[kind].storedSpec ?? publicKinds[kind].spec);
}

function readerOf(kind: Kind): StructureReader {
  let reader = readers.get(kind);
  if (reader === undefined) {
    reader = structureReader(storedSchema(kind));
    readers.set(kind, reader);
  }
  return reader;
}

function unreadable(key: ResourceKey, path: string, why: string, cause?: unknown): ValidationError {
  return new ValidationError(
    'ERR_CALI_API_STORED_FORM',
    `stored ${describeKey(key)} cannot be read: ${path === '' ? '' : `${path}: `}${why}`,
    [{ code: 'stored_form', path, message: why }],
    { cause, hint: 'write it anew with: calicoctl apply -f FILE; or delete it' },
  );
}

function check(key: ResourceKey, reader: StructureReader, value: unknown, root: string): unknown {
  const result = reader(value);
  if (result !== MISMATCH) return result;
  const { path, expected } = lastMismatch();
  const separator = root === '' || path === '' || path.startsWith('[') ? '' : '.';
  throw unreadable(key, `${root}${separator}${path}`, `it is not ${expected}`);
}

/** The name a policy was given: older versions stored those of the default tier under `default.<name>`. */
function policyName(metadata: Mutable, spec: Mutable, key: ResourceKey): string {
  const annotations = metadata['annotations'] as Mutable | undefined;
  const kept = annotations?.[METADATA_ANNOTATION];
  if (typeof kept === 'string') {
    delete annotations?.[METADATA_ANNOTATION];
    if (Object.keys(annotations ?? {}).length === 0) delete metadata['annotations'];
    const name = /^\{"name":"([^"\\]*)"\}$/.exec(kept)?.[1] ?? nameInJson(kept);
    if (name !== undefined) return name;
  }
  const tier = spec['tier'];
  const inDefaultTier = tier === undefined || tier === '' || tier === DEFAULT_TIER;
  return inDefaultTier && key.name.startsWith('default.') ? key.name.slice('default.'.length) : key.name;
}

function nameInJson(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('name' in parsed)) return undefined;
    return typeof parsed.name === 'string' ? parsed.name : undefined;
  } catch {
    // Somebody else's annotation under our name: the key then says the name.
    return undefined;
  }
}

function completeMetadata(key: ResourceKey, metadata: Mutable, spec: Mutable): void {
  metadata['name'] ??= key.name;
  if (key.namespace !== undefined) metadata['namespace'] ??= key.namespace;
  if (metadata['resourceVersion'] !== undefined) delete metadata['resourceVersion'];
  if (!isTieredKind(key.kind)) return;
  metadata['name'] = policyName(metadata, spec, key);
  const labels = (metadata['labels'] ??= {}) as Mutable;
  labels[TIER_LABEL] ??= spec['tier'] ?? DEFAULT_TIER;
}

function decodeResource(key: ResourceKey, definition: KindDefinition, parsed: unknown): Resource {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw unreadable(key, '', 'it is not an object');
  }
  const object: Mutable =
    definition.bareSpec === undefined
      ? (parsed as Mutable)
      : { spec: definition.bareSpec.fromStored(parsed as Mutable) };
  if (object['kind'] !== undefined && object['kind'] !== definition.kind) {
    throw unreadable(key, 'kind', `it is not "${definition.kind}"`);
  }
  const metadata = check(key, readMetadata, object['metadata'] ?? {}, 'metadata') as Mutable;
  let spec = check(key, readerOf(key.kind), object['spec'] ?? {}, 'spec') as Mutable;
  if (definition.readUpgrade !== undefined) spec = definition.readUpgrade(spec) as Mutable;
  completeMetadata(key, metadata, spec);
  object['apiVersion'] ??= API_VERSION;
  object['kind'] = definition.kind;
  object['metadata'] = metadata;
  object['spec'] = spec;
  return object as unknown as Resource;
}

// JSON numbers past 2^53 lose digits; sequence numbers are Unix times in nanoseconds. So they travel as text through JSON.parse.
const LONG_NUMBER = /("sequenceNumber"|"\d+")\s*:\s*(\d+)/g;

function decodeBlock(key: ResourceKey, text: string): unknown {
  const parsed = parseJson(key, text.replaceAll(LONG_NUMBER, '$1:"$2"'));
  if (typeof parsed !== 'object' || parsed === null) throw unreadable(key, '', 'it is not an object');
  const block = parsed as Mutable;
  const sequenceNumber = block['sequenceNumber'];
  if (typeof sequenceNumber === 'string') block['sequenceNumber'] = BigInt(sequenceNumber);
  const perOrdinal = block['sequenceNumberForAllocation'];
  if (typeof perOrdinal === 'object' && perOrdinal !== null) {
    const numbers = perOrdinal as Mutable;
    for (const [ordinal, value] of Object.entries(numbers)) {
      if (typeof value === 'string' && /^\d+$/.test(value)) numbers[ordinal] = BigInt(value);
    }
  }
  return block;
}

function parseJson(key: ResourceKey, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw unreadable(key, '', 'it is not JSON', cause);
  }
}

/**
 * Reads what is stored under a key. Lenient: bounds and unknown fields do not matter, older forms are raised to today's, what
 * a reader may rely on is filled in. The policy's own name is in `metadata.name`; the key may be an older form of it.
 *
 * @throws {ValidationError} `ERR_CALI_API_STORED_FORM`: not JSON, or not the structure of the kind
 */
export function decodeStored<K extends Kind>(key: ResourceKey<K>, text: string): ResourceByKind[K] {
  const { kind } = key;
  let value: unknown;
  if (kind === 'IPAMBlock') value = check(key, readerOf(kind), decodeBlock(key, text), '');
  else {
    const parsed = parseJson(key, text === '' && kind === 'BlockAffinity' ? '{}' : text);
    value = isPublicKind(kind)
      ? decodeResource(key, publicKinds[kind], parsed)
      : check(key, readerOf(kind), parsed, '');
  }
  return value as ResourceByKind[K];
}

function encodeMetadata(resource: Resource, kind: Kind): Metadata {
  const { resourceVersion: _, creationTimestamp, ...rest } = resource.metadata;
  const metadata: Metadata = {
    ...rest,
    ...(creationTimestamp === undefined ? {} : { creationTimestamp: creationTimestamp.replace(/\.\d+(?=Z|[+-])/, '') }),
  };
  if (!isTieredKind(kind)) return metadata;
  const tier = (resource.spec as { readonly tier?: string }).tier ?? DEFAULT_TIER;
  return {
    ...metadata,
    labels: { ...metadata.labels, [TIER_LABEL]: tier },
    annotations: { ...metadata.annotations, [METADATA_ANNOTATION]: JSON.stringify({ name: metadata.name }) },
  };
}

function encodeBlock(block: ResourceByKind['IPAMBlock']): string {
  const { sequenceNumber, sequenceNumberForAllocation, deleted, ...rest } = block;
  const head = JSON.stringify(rest);
  const perOrdinal = Object.entries(sequenceNumberForAllocation ?? {}).map(
    ([ordinal, n]) => `${JSON.stringify(ordinal)}:${n}`,
  );
  const tail = [
    `"sequenceNumber":${sequenceNumber ?? 0n}`,
    `"sequenceNumberForAllocation":{${perOrdinal.join(',')}}`,
    `"deleted":${deleted ?? false}`,
  ];
  return `${head.slice(0, -1)},${tail.join(',')}}`;
}

function isBlock(kind: Kind, value: unknown): value is ResourceByKind['IPAMBlock'] {
  return kind === 'IPAMBlock' && typeof value === 'object';
}

/** The text that is stored: JSON without resourceVersion, creation time in whole seconds. Inverse of {@link decodeStored}. */
export function encodeStored<K extends Kind>(kind: K, value: ResourceByKind[K]): string {
  if (isBlock(kind, value)) return encodeBlock(value);
  if (!isPublicKind(kind)) {
    const needsDeleted = kind === 'IPAMHandle' || kind === 'BlockAffinity';
    return JSON.stringify(needsDeleted ? { deleted: false, ...value } : value);
  }
  const resource = value as unknown as Resource;
  const definition: KindDefinition = publicKinds[kind];
  if (definition.bareSpec !== undefined) return JSON.stringify(definition.bareSpec.toStored(resource.spec as object));
  const { kind: storedKind, apiVersion, metadata: _, spec, ...rest } = resource;
  return JSON.stringify({ kind: storedKind, apiVersion, metadata: encodeMetadata(resource, kind), spec, ...rest });
}
