import { type Conversion, convertAllV1, describeV1 } from '../../api/v1/convert.js';
import { describeTyped } from '../../api/validate.js';
import type { Issue } from '../../base/errors.js';
import { CalicoError } from '../../base/errors.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { inputErrors, readManifests } from './input.js';
import type { ManifestEntry } from './manifest.js';
import { describeIssue, type Failure, type Locate } from '../messages.js';
import type { Block, Result } from '../result.js';

const NOT_CONVERTED = 'failed to convert resource: ';
const NOT_VALID = 'Converted manifest resource(s) failed validation: ';
const IGNORE_HINT = "re-run the command with '--ignore-validation' flag to see the converted output";

function formatOf(call: Call): 'yaml' | 'json' {
  const format = textOption(call, 'output') ?? 'yaml';
  if (format === 'json') return 'json';
  if (format === 'yaml' || format === 'yml') return 'yaml';
  throw new CalicoError('ERR_CALI_CLI_USAGE', `unrecognized output format '${format}'`, {
    hint: 'write yaml or json',
  });
}

/** The issue's path is one of the result; what was typed has the object's place only. */
function placeOfObject(locate: Locate): Locate {
  return (issue: Issue) => locate({ ...issue, path: '' });
}

function failuresOf({ object, locate }: ManifestEntry, conversion: Conversion, ignores: boolean): readonly Failure[] {
  const { refusals, isUnread, complaints, resource } = conversion;
  const refused = refusals.map((issue) => describeIssue(issue, describeV1(object), locate));
  if (refused.length > 0) {
    return isUnread ? refused : refused.map(({ text, ...rest }) => ({ text: `${NOT_CONVERTED}${text}`, ...rest }));
  }
  if (ignores) return [];
  return complaints.map((issue) => {
    const { text } = describeIssue(issue, describeTyped(resource), placeOfObject(locate));
    return {
      text: `${NOT_VALID}${text}`,
      hint: issue.hint === undefined ? IGNORE_HINT : `${issue.hint}; or ${IGNORE_HINT}`,
    };
  });
}

/** One resource as it is, several as a list that `apply` takes. */
function blockOf(type: 'yaml' | 'json', conversions: readonly Conversion[]): Block | undefined {
  const resources = conversions.flatMap(({ resource }) => resource ?? []);
  if (resources.length === 0) return undefined;
  const value =
    resources.length === 1 ? resources[0] : { apiVersion: 'v1', items: resources, kind: 'List', metadata: {} };
  return { type, value };
}

/** convert: reads everything, and prints all of it or says what stands in the way. */
export async function convertManifests(call: Call, context: Context): Promise<Result> {
  const type = formatOf(call);
  const { entries, failures: empty } = await readManifests(call, context);
  const conversions = convertAllV1(entries.map(({ object }) => object));
  const ignores = flag(call, 'ignoreValidation');
  const failures = entries.flatMap((entry, index) => {
    const conversion = conversions[index];
    return conversion === undefined ? [] : failuresOf(entry, conversion, ignores);
  });
  if (empty.length + failures.length > 0) return { errors: inputErrors([...empty, ...failures]) };
  const block = blockOf(type, conversions);
  return { output: block === undefined ? [] : [block] };
}
