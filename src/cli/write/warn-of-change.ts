import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { parseResource, validate } from '../../api/validate.js';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import { wantsWarnings, warnOf, type Writer } from './warnings.js';

/**
 * Tells what is odd about a change that is about to be made to one resource. Says nothing where the change will be refused: the refusal does.
 *
 * @throws {UnavailableError}
 */
export async function warnOfChange(
  key: ResourceKey<PublicKind>,
  change: (resource: PublicResourceByKind[PublicKind]) => unknown,
  writer: Writer,
): Promise<void> {
  if (!wantsWarnings(key.kind, writer.call)) return;
  try {
    const stored = await writer.client.get(key);
    const metadata = { ...stored.value.metadata, resourceVersion: stored.revision };
    const wanted = change({ ...stored.value, metadata });
    if (validate(wanted).length > 0) return;
    const resource = parseResource(wanted);
    if ((resource.metadata.resourceVersion ?? stored.revision) !== stored.revision) return;
    await warnOf([{ key: stored.key, resource, isWhole: true }], writer);
  } catch (error) {
    if (!(error instanceof CalicoError) || error instanceof UnavailableError) throw error;
  }
}
