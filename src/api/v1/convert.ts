import type { Issue } from '../../base/errors.js';
import { ruleIssue, suggestion, unknownField } from '../issues.js';
import { API_VERSION } from '../meta.js';
import type { PublicKind, PublicResourceByKind } from '../registry.js';
import { type Fields, isFields } from '../plain-fields.js';
import { readPart, withoutNulls } from '../strict-reading.js';
import { validate, withWriteDefaults } from '../validate.js';
import { bgpPeerOfV1 } from './bgp-peer.js';
import { hostEndpointOfV1 } from './host-endpoint.js';
import { ipPoolOfV1 } from './ip-pool.js';
import type { ConvertedResource, V1Kind } from './kind.js';
import { nodeOfV1 } from './node.js';
import { policyOfV1 } from './policy.js';
import { profileOfV1 } from './profile.js';
import { workloadEndpointOfV1 } from './workload-endpoint.js';

/** The first API's name for itself. */
export const V1_API_VERSION = 'v1';

/** Its kinds, all of them. */
export const V1_KINDS: readonly V1Kind[] = [
  nodeOfV1,
  hostEndpointOfV1,
  workloadEndpointOfV1,
  profileOfV1,
  policyOfV1,
  ipPoolOfV1,
  bgpPeerOfV1,
];

/** What became of one v1 object. */
export interface Conversion {
  /** Absent exactly where there are refusals. */
  readonly resource?: ConvertedResource;
  /** Why it cannot be converted; paths of the v1 object. `isUnread`: it is not even a v1 object of its kind. */
  readonly refusals: readonly Issue[];
  readonly isUnread: boolean;
  /** Rules of today that the resource breaks; paths of the resource. */
  readonly complaints: readonly Issue[];
}

const TOP_LEVEL_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec'];

function unread(refusals: readonly Issue[]): Conversion {
  return { refusals, isUnread: true, complaints: [] };
}

function headIssue({ apiVersion, kind }: Fields): Issue {
  const shown = [kind, apiVersion].map((text) => (typeof text === 'string' ? text : ''));
  if (apiVersion !== V1_API_VERSION) {
    const hints = apiVersion === API_VERSION ? { hint: 'it is a resource of today already: apply it' } : {};
    const message = `unknown resource type (${shown[0]}) and/or version (${shown[1]})`;
    return { code: 'unknown_kind', path: 'apiVersion', message, ...hints };
  }
  const words = V1_KINDS.map((known) => known.kind);
  const message = `conversion for the resource type '${shown[0]}' is not supported`;
  return { code: 'unknown_kind', path: 'kind', message, ...suggestion(shown[0] ?? '', words) };
}

/** What v1 objects are known by, outermost first. */
const IDENTITY = ['node', 'orchestrator', 'workload', 'name', 'cidr', 'peerIP'];

/** As people know a v1 object that may lack anything: `policy "web"`, `hostEndpoint "host-1/eth0"`. */
export function describeV1(object: unknown): string | undefined {
  if (!isFields(object) || typeof object['kind'] !== 'string') return undefined;
  const metadata = isFields(object['metadata']) ? object['metadata'] : {};
  const parts = IDENTITY.map((field) => metadata[field]).filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? object['kind'] : `${object['kind']} "${parts.join('/')}"`;
}

function withDefaults(resource: ConvertedResource): ConvertedResource {
  return withWriteDefaults(resource as unknown as PublicResourceByKind[PublicKind]) as ConvertedResource;
}

/**
 * One object of the first API as a resource of today, with the defaults that are stored. Never throws: what is wrong is in the
 * answer.
 */
export function convertV1(object: unknown): Conversion {
  const fields = withoutNulls(object);
  if (!isFields(fields)) {
    return unread([{ code: 'type', path: '', message: 'it is not a resource: no kind, no metadata' }]);
  }
  const kind = V1_KINDS.find((known) => known.kind === fields['kind']);
  if (kind === undefined || fields['apiVersion'] !== V1_API_VERSION) return unread([headIssue(fields)]);
  const stray = Object.keys(fields).filter((name) => !TOP_LEVEL_FIELDS.includes(name));
  const metadata = readPart(kind.metadata, fields['metadata'] ?? {}, 'metadata');
  const spec = readPart(kind.spec, fields['spec'] ?? {}, 'spec');
  const issues = [
    ...stray.map((name) => unknownField(name, name, TOP_LEVEL_FIELDS)),
    ...metadata.issues,
    ...spec.issues,
  ];
  if (issues.length > 0 || metadata.value === undefined || spec.value === undefined) return unread(issues);
  const converted = kind.convert({ metadata: metadata.value, spec: spec.value });
  if ('refusals' in converted) return { refusals: converted.refusals, isUnread: false, complaints: [] };
  const resource = withDefaults({ apiVersion: API_VERSION, kind: kind.becomes, ...converted });
  return { resource, refusals: [], isUnread: false, complaints: validate(resource) };
}

function idOf({ kind, metadata: { namespace = '', name } }: ConvertedResource): string {
  return `${kind}/${namespace}/${name}`;
}

/**
 * All objects of a manifest. Names of hosts lose what today's rules do not allow and get no digest, and the same object may stand
 * there twice in two spellings: where two become one, the second complains.
 */
export function convertAllV1(objects: readonly unknown[]): readonly Conversion[] {
  const seen = new Map<string, string>();
  return objects.map((object) => {
    const conversion = convertV1(object);
    const { resource, complaints } = conversion;
    if (resource === undefined) return conversion;
    const said = describeV1(object) ?? resource.kind;
    const earlier = seen.get(idOf(resource));
    if (earlier === undefined) seen.set(idOf(resource), said);
    if (earlier === undefined || earlier === said) return conversion;
    const message = `${earlier} and ${said} both become ${resource.kind} "${resource.metadata.name}"`;
    return { ...conversion, complaints: [...complaints, ruleIssue('metadata.name', message, 'rename one of them')] };
  });
}
