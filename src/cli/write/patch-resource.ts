import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { changedIdentity } from './identity.js';
import { applyJsonPatch } from './json-patch.js';
import { parseValue } from '../manifests/manifest.js';
import { applyMergePatch, applyStrategicPatch } from './merge-patch.js';
import { describeFailures, doneLead, formatFailure } from '../messages.js';
import { namedResource } from '../named-resource.js';
import { line, type Result } from '../result.js';
import { warnOfChange } from './warn-of-change.js';

type Patch = (document: unknown, patch: unknown) => unknown;

const PATCHES: Readonly<Record<string, Patch>> = {
  strategic: applyStrategicPatch,
  json: applyJsonPatch,
  merge: applyMergePatch,
};

function patchOf(call: Call): (document: unknown) => unknown {
  const type = textOption(call, 'type') ?? 'strategic';
  const apply = Object.hasOwn(PATCHES, type) ? PATCHES[type] : undefined;
  if (apply === undefined) {
    throw new CalicoError(
      'ERR_CALI_CLI_PATCH',
      `patch type "${type}" is not one of ${Object.keys(PATCHES).join(', ')}`,
    );
  }
  const text = textOption(call, 'patch') ?? '';
  if (text.trim() === '') {
    const hint = `name one with -p, such as -p '{"spec":{"order":100}}'`;
    throw new CalicoError('ERR_CALI_CLI_PATCH', 'no patch given', { hint });
  }
  const patch = parseValue('patch', text);
  return (document) => apply(document, patch);
}

/** What says which resource it is cannot be patched: the patch would be of another one. */
function refuseOther(before: PublicResourceByKind[PublicKind], patched: unknown): void {
  const changed = changedIdentity(before, patched);
  if (changed === undefined) return;
  throw new CalicoError('ERR_CALI_CLI_PATCH', `a patch cannot change ${changed.field} ("${changed.was}")`);
}

/** patch KIND NAME -p PATCH. */
export async function patchResource(call: Call, context: Context): Promise<Result> {
  const key: ResourceKey<PublicKind> = namedResource(call, 'patch');
  const patch = patchOf(call);
  const client = await context.connect();
  const change = (resource: PublicResourceByKind[PublicKind]): unknown => {
    const patched = patch(resource);
    refuseOther(resource, patched);
    return patched;
  };
  await warnOfChange(key, change, { client, call, context });
  try {
    await client.change(key, change);
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    return { errors: describeFailures(error, key).map((failure) => `hit error: ${formatFailure(failure)}`) };
  }
  return { output: [line(`${doneLead(flag(call, 'dryRun'))} patched 1 '${key.kind}' resource`)] };
}
