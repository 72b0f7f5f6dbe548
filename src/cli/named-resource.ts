import type { PublicKind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { CalicoError } from '../base/errors.js';
import type { Call } from './command.js';
import { resolveKind } from './kind-names.js';
import { namespaceChoice, resolveNamespace } from './namespace.js';

/** Why an operation may not be done to a resource, whoever asks; undefined when it may. */
export function readOnlyReason(operation: string, { kind, name, namespace }: ResourceKey): string | undefined {
  if (kind === 'ClusterInformation') {
    return `operation ${operation} is not supported on ClusterInformation: resource is readonly`;
  }
  if (kind !== 'NetworkPolicy' || !name.startsWith('knp.default.')) return undefined;
  const id = `NetworkPolicy(${namespace ?? ''}/${name})`;
  return `operation ${operation} is not supported on ${id}: kubernetes network policies must be managed through the kubernetes API`;
}

/**
 * The resources that KIND NAME… on the command line stand for, to be changed.
 *
 * @throws {CalicoError} no such kind, an empty name, a namespace that does not fit, a resource nobody may change
 */
export function namedResources(
  call: Call,
  names: readonly string[],
  operation: string,
): readonly ResourceKey<PublicKind>[] {
  const kind = resolveKind(call.arguments[0] ?? '');
  const namespace = resolveNamespace(kind, undefined, namespaceChoice(call));
  return names.map((name) => {
    if (name === '') throw new CalicoError('ERR_CALI_CLI_USAGE', 'resource name may not be empty');
    const key = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
    const reason = readOnlyReason(operation, key);
    if (reason !== undefined) throw new CalicoError('ERR_CALI_CLI_READ_ONLY', reason);
    return key;
  });
}

/** The one resource that KIND NAME stands for. */
export function namedResource(call: Call, operation: string): ResourceKey<PublicKind> {
  const [key] = namedResources(call, [call.arguments[1] ?? ''], operation);
  if (key === undefined) throw new CalicoError('ERR_CALI_CLI_USAGE', 'give KIND and NAME');
  return key;
}
