import { FIRST_ERA } from '../src/cli/first-era/families.js';
import { markdownTable } from './markdown-table.js';

/** Table of `docs/first-era.md`: every form with what it does and what does the same today. */
export function firstEraTable(): string {
  const rows = FIRST_ERA.flatMap(({ name, forms }) =>
    Object.values(forms).map(({ pattern, help, today }) => {
      const command = pattern === '' ? name : `${name} ${pattern}`;
      return [`\`${command}\``, help, today];
    }),
  );
  return markdownTable(['`calicoctl` …', 'what it does', 'what does the same today'], rows).join('\n');
}
