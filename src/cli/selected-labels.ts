import { isNamespaced, type PublicKind } from '../api/registry.js';
import type { Stored } from '../datastore/datastore.js';
import type { Labels } from '../selector/evaluate.js';
import { NAMESPACE_LABEL } from '../selector/translate.js';

/** What a selector of the command line sees of an object: its labels, and its namespace as one. */
export function selectedLabels({ key, value }: Stored<PublicKind>): Labels {
  const labels = value.metadata.labels ?? {};
  return {
    get(label) {
      if (Object.hasOwn(labels, label)) return labels[label];
      return label === NAMESPACE_LABEL && isNamespaced(key.kind) ? key.namespace : undefined;
    },
  };
}
