import * as v from 'valibot';
import { type Issue, ValidationError } from '../base/errors.js';
import { formatIssue, joinPath, ruleIssue, suggestion, unknownField } from './issues.js';
import { API_VERSION, type KindDefinition, type Metadata, type Resource } from './meta.js';
import { labelIssues } from './label-rules.js';
import { explainBadLabelKey, explainBadSubdomain } from './names.js';
import { isPublicKind, type PublicKind, publicKinds, type PublicResourceByKind } from './registry.js';
import { type Fields, isFields } from './plain-fields.js';
import { readPart, withoutNulls } from './strict-reading.js';

const textMap = () => v.exactOptional(v.record(v.string(), v.string()));

/** What people may type as metadata; fields that only a server fills are taken and mean nothing. */
const typedMetadata = v.strictObject({
  name: v.string(),
  generateName: v.exactOptional(v.string()),
  namespace: v.exactOptional(v.string()),
  uid: v.exactOptional(v.string()),
  resourceVersion: v.exactOptional(v.string()),
  creationTimestamp: v.exactOptional(v.string()),
  generation: v.exactOptional(v.number()),
  labels: textMap(),
  annotations: textMap(),
  selfLink: v.exactOptional(v.string()),
  managedFields: v.exactOptional(v.unknown()),
  ownerReferences: v.exactOptional(v.unknown()),
  finalizers: v.exactOptional(v.unknown()),
  deletionTimestamp: v.exactOptional(v.unknown()),
  deletionGracePeriodSeconds: v.exactOptional(v.unknown()),
});

const TOP_LEVEL_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const ANNOTATIONS_LIMIT_BYTES = 256 * 1024;

function annotationIssues(annotations: Readonly<Record<string, string>>): Issue[] {
  const total = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  const size =
    total > ANNOTATIONS_LIMIT_BYTES
      ? [ruleIssue('metadata.annotations', `they take ${total} bytes, at most ${ANNOTATIONS_LIMIT_BYTES} fit`)]
      : [];
  const keys = Object.keys(annotations).flatMap((key) => {
    const bad = explainBadLabelKey(key.toLowerCase());
    return bad === undefined
      ? []
      : [ruleIssue(joinPath('metadata.annotations', key), bad.replace('a label', 'an annotation'))];
  });
  return [...size, ...keys];
}

function metadataIssues(definition: KindDefinition, metadata: Metadata): Issue[] {
  const badName = (definition.explainBadName ?? explainBadSubdomain)(metadata.name);
  const issues = badName === undefined ? [] : [ruleIssue('metadata.name', badName)];
  if (metadata.namespace !== undefined && metadata.namespace !== '') {
    const bad = definition.namespaced
      ? explainBadSubdomain(metadata.namespace)
      : `namespace should not be specified for a non-namespaced resource. ${definition.kind} is not a namespaced resource`;
    if (bad !== undefined) issues.push(ruleIssue('metadata.namespace', bad));
  }
  return [
    ...issues,
    ...labelIssues('metadata.labels', metadata.labels ?? {}),
    ...annotationIssues(metadata.annotations ?? {}),
  ];
}

function headIssue(object: Fields): Issue | undefined {
  const { kind, apiVersion } = object;
  const isKnown = typeof kind === 'string' && isPublicKind(kind);
  if (isKnown && apiVersion === API_VERSION) return undefined;
  const shown = [kind, apiVersion].map((text) => (typeof text === 'string' ? text : ''));
  const message = `unknown resource type (${shown[0]}) and/or version (${shown[1]})`;
  const hints = headHint(shown[0] ?? '', shown[1] ?? '', isKnown);
  return { code: 'unknown_kind', path: isKnown ? 'apiVersion' : 'kind', message, ...hints };
}

/** The first API's kinds begin with a small letter: `ipPool`, `bgpPeer`; its policy is a GlobalNetworkPolicy of today. */
function isOfFirstApi(kind: string, apiVersion: string): boolean {
  const known = ['policy', ...Object.keys(publicKinds).map((each) => each.toLowerCase())];
  return apiVersion === 'v1' && /^[a-z]/.test(kind) && known.includes(kind.toLowerCase());
}

function headHint(kind: string, apiVersion: string, isKnown: boolean): Pick<Issue, 'hint'> {
  if (isOfFirstApi(kind, apiVersion)) {
    return { hint: 'it is of the first API: turn it into a resource of today with: calicoctl convert -f FILE' };
  }
  if (/(^|\.)networking\.k8s\.io\//.test(apiVersion)) {
    return { hint: `it is Kubernetes' own: apply it with kubectl, or write Calico's ${API_VERSION} and its fields` };
  }
  if (isKnown) return { hint: `write apiVersion: ${API_VERSION}` };
  if (kind === '') {
    const hint = 'write its kind, such as kind: IPPool';
    return { hint: apiVersion === '' ? `${hint}, and apiVersion: ${API_VERSION}` : hint };
  }
  return suggestion(kind, Object.keys(publicKinds));
}

interface Outcome {
  readonly resource?: Resource;
  readonly issues: readonly Issue[];
}

function read(object: unknown): Outcome {
  const fields = withoutNulls(object);
  if (!isFields(fields))
    return { issues: [{ code: 'type', path: '', message: 'it is not a resource: no kind, no metadata' }] };
  const head = headIssue(fields);
  if (head !== undefined) return { issues: [head] };
  const definition: KindDefinition = publicKinds[fields['kind'] as PublicKind];
  const stray = Object.keys(fields).filter((name) => !TOP_LEVEL_FIELDS.includes(name));
  const issues = stray.map((name) => unknownField(name, name, TOP_LEVEL_FIELDS));
  const spec = readPart(definition.spec, fields['spec'] ?? {}, 'spec');
  const metadata = readPart(typedMetadata, named(definition, fields['metadata'] ?? {}, spec.value), 'metadata');
  issues.push(...metadata.issues, ...spec.issues);
  if (metadata.value !== undefined) issues.push(...metadataIssues(definition, metadata.value));
  if (metadata.value === undefined || spec.value === undefined || issues.length > 0) return { issues };
  const resource: Resource<string, object> = {
    apiVersion: API_VERSION,
    kind: definition.kind,
    metadata: metadata.value,
    spec: spec.value,
    ...('status' in fields ? { status: fields['status'] } : {}),
  };
  const complete = withWriteDefaults(resource as PublicResourceByKind[PublicKind]);
  const broken = definition.crossFieldRules?.(complete) ?? [];
  return { resource: complete, issues: broken };
}

/** Metadata with the name that follows from the spec, where the kind has such a one and nobody wrote it. */
function named(definition: KindDefinition, metadata: unknown, spec: object | undefined): unknown {
  if (!isFields(metadata) || spec === undefined || (metadata['name'] ?? '') !== '') return metadata;
  const name = definition.nameOf?.(spec);
  return name === undefined ? metadata : { ...metadata, name };
}

/** The resource with what is stored although nobody wrote it: a policy's types, a pool's block size and the like. */
export function withWriteDefaults<R extends PublicResourceByKind[PublicKind]>(resource: R): R {
  const definition: KindDefinition = publicKinds[resource.kind];
  return definition.writeDefaults === undefined
    ? resource
    : { ...resource, spec: definition.writeDefaults(resource.spec) };
}

/** Every rule that a typed object breaks; empty when it is right. Never throws. */
export function validate(object: unknown): readonly Issue[] {
  return read(object).issues;
}

/** As people know a typed object that may lack anything: `NetworkPolicy "shop/web"`. */
export function describeTyped(object: unknown): string | undefined {
  if (!isFields(object) || typeof object['kind'] !== 'string') return undefined;
  const metadata = isFields(object['metadata']) ? object['metadata'] : {};
  const { name, namespace } = metadata;
  if (typeof name !== 'string') return object['kind'];
  return `${object['kind']} "${typeof namespace === 'string' && namespace !== '' ? `${namespace}/` : ''}${name}"`;
}

/**
 * A typed object as a resource, normalised, with the defaults that are stored.
 *
 * @throws {ValidationError} `ERR_CALI_API_INVALID` with every issue found; the message is the first of them
 */
export function parseResource(object: unknown): PublicResourceByKind[PublicKind] {
  const { resource, issues } = read(object);
  const [first] = issues;
  if (first === undefined && resource !== undefined) return resource as PublicResourceByKind[PublicKind];
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const subject = describeTyped(object);
  throw new ValidationError(
    'ERR_CALI_API_INVALID',
    `${formatIssue(first ?? { code: '', path: '', message: '' })}${more}`,
    issues,
    {
      ...(first?.hint === undefined ? {} : { hint: first.hint }),
      ...(subject === undefined ? {} : { where: { resource: subject } }),
    },
  );
}
