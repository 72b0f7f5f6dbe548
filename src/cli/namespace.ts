import { CalicoError } from '../base/errors.js';
import { isNamespaced, type PublicKind } from '../api/registry.js';
import { type Call, flag, textOption } from './command.js';

/** What `-n` and `-A` say. */
export interface NamespaceChoice {
  readonly given?: string;
  readonly all: boolean;
}

function bad(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_NAMESPACE', message);
}

/** @throws {CalicoError} both were given */
export function namespaceChoice(call: Call): NamespaceChoice {
  // Of `-n "$NAMESPACE"` with nothing in it.
  const given = textOption(call, 'namespace') || undefined;
  const all = flag(call, 'allNamespaces') || flag(call, 'a');
  if (given !== undefined && all) throw bad('cannot use both --namespace and --all-namespaces flags at the same time');
  return { all, ...(given === undefined ? {} : { given }) };
}

/** The namespace of an object: that of the document, of `-n`, or `default`; none for kinds that have none. */
export function resolveNamespace(
  kind: PublicKind,
  inDocument: string | undefined,
  choice: NamespaceChoice,
): string | undefined {
  const written = inDocument === '' ? undefined : inDocument;
  if (!isNamespaced(kind)) {
    if (choice.given !== undefined || choice.all) throw bad(`${kind} is not namespaced`);
    return undefined;
  }
  if (written !== undefined && choice.given !== undefined && written !== choice.given) {
    throw bad(`resource namespace does not match client namespace. ${written} != ${choice.given}`);
  }
  return written ?? choice.given ?? 'default';
}
