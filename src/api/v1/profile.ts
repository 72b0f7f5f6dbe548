import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { ruleIssue } from '../issues.js';
import { labelsOfV1 } from './host-endpoint.js';
import { defineV1Kind } from './kind.js';
import { convertProfileName } from './names.js';
import { convertRules, given, rulesOfV1 } from './rules.js';
import { convertLabels, tag } from './selectors.js';

/** A tag becomes a label without value; it must not hide a label that the profile has. */
function clashes(name: string, tags: readonly string[], labels: Readonly<Record<string, string>>): Issue[] {
  return tags.flatMap((text, index) => {
    const value = Object.hasOwn(labels, text) ? labels[text] : undefined;
    if (value === undefined) return [];
    const message = `Tag: '${text}' and Label '${text} == ${value}' have the same value for Profile: ${name}. Change the Label key before proceeding`;
    return [ruleIssue(`metadata.tags[${index}]`, message)];
  });
}

export const profileOfV1 = defineV1Kind({
  kind: 'profile',
  becomes: 'Profile',
  metadata: v.strictObject({ name: v.string(), tags: v.exactOptional(v.array(tag())), labels: labelsOfV1() }),
  spec: v.strictObject({ ingress: rulesOfV1(), egress: rulesOfV1() }),
  convert({ metadata: { name, tags = [], labels = {} }, spec }) {
    const refusals = clashes(name, tags, labels);
    if (refusals.length > 0) return { refusals };
    const labelsToApply = { ...convertLabels(labels), ...Object.fromEntries(tags.map((text) => [text, ''])) };
    return {
      metadata: { name: convertProfileName(name) },
      spec: given({
        ingress: convertRules(spec.ingress),
        egress: convertRules(spec.egress),
        labelsToApply: Object.keys(labelsToApply).length === 0 ? undefined : labelsToApply,
      }),
    };
  },
});
