import { felixDefaultText } from '../src/api/felix-default-text.js';
import { type FelixParameter, felixParameters } from '../src/api/felix-parameters.js';
import { type UnusedFelixParameter, unusedFelixParameters } from '../src/api/felix-unused-parameters.js';
import { markdownTable } from './markdown-table.js';

/** Pages of `docs/` that are made from the program itself. */

function cellsOf(name: string, parameter: UnusedFelixParameter, notes: readonly string[]): readonly string[] {
  const { form, meaning, alias } = parameter;
  const other = alias === undefined ? '' : ` (\`${alias}\`)`;
  const initial = felixDefaultText(name, parameter);
  return [`\`${name}\`${other}`, meaning, form.words, initial === '' ? '' : `\`${initial}\``, notes.join(', ')];
}

/** `docs/felix-parameters.md`: every parameter of the agent. */
export function parametersPage(): string {
  const rows = Object.entries<FelixParameter>(felixParameters).map(([name, parameter]) => {
    const notes = [
      parameter.takesEffect === 'live' ? 'at once' : 'restart',
      ...(parameter.isLocal === true ? ['local only'] : []),
      ...(parameter.isFatal === true ? ['must be right'] : []),
    ];
    return cellsOf(name, parameter, notes);
  });
  const unused = Object.entries(unusedFelixParameters).map(([name, parameter]) =>
    cellsOf(name, parameter, parameter.isLocal === true ? ['local only'] : []),
  );
  const columns = ['parameter', 'it says', 'value', 'default', 'notes'];
  return [
    '# Parameters of the agent\n',
    'Made from `src/api/felix-parameters.ts` by `scripts/generate.ts`. A parameter is a field of a FelixConfiguration, a variable `FELIX_`',
    'and its name (or the alias in parentheses), or a key of `/etc/calico/felix.cfg`; names of the latter two in any case. Environment beats file, file beats the',
    'FelixConfiguration of the host (`node.NAME`), that beats the one called `default`. A wrong value gives way to the default, and the agent says so.\n',
    'In the last column: whether a change takes effect *at once* or with a *restart*, which the agent does by itself; *local only*: not read from',
    'the datastore; *must be right*: a wrong value stops the agent.\n',
    ...markdownTable(columns, rows),
    '',
    '## Taken, not used yet\n',
    'Other agents know these. They may stand in a FelixConfiguration, where their form is checked, and in environment and file. This agent does',
    'nothing with them; the default is what the others assume.\n',
    ...markdownTable(columns, unused),
    '',
  ].join('\n');
}
