import type { Issue } from '../base/errors.js';
import { joinPath, ruleIssue } from './issues.js';
import { explainBadLabel } from './names.js';

/** What is wrong with labels, each under its key: a selector could not speak of it, other tools refuse it. */
export function labelIssues(path: string, labels: Readonly<Record<string, string>>): Issue[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const bad = explainBadLabel(key, value);
    return bad === undefined ? [] : [ruleIssue(joinPath(path, key), bad)];
  });
}
