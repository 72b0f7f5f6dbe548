import { stringify } from 'yaml';

/** YAML as people write it: two blanks a level, long texts on one line. */
export function formatYaml(value: unknown): string {
  return stringify(value, { indent: 2, lineWidth: 0, aliasDuplicateObjects: false });
}
