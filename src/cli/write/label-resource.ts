import { explainBadLabel } from '../../api/names.js';
import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import { CalicoError, NotFoundError, UnavailableError } from '../../base/errors.js';
import { type Call, type Context, flag } from '../command.js';
import { describeFailures, doneLead, formatFailure } from '../messages.js';
import { namedResource } from '../named-resource.js';
import { line, type Result } from '../result.js';
import { warnOfChange } from './warn-of-change.js';

type Labels = Readonly<Record<string, string>>;

interface Change {
  readonly labels: Labels;
  /** As the message says it: `set label`, `updated label`, `removed label`. */
  readonly done: string;
  readonly preposition: 'on' | 'from';
}

class LabelRefused extends CalicoError {
  constructor(message: string, hint?: string) {
    super('ERR_CALI_CLI_LABEL', message, hint === undefined ? {} : { hint });
  }
}

interface Asked {
  /** KIND NAME as typed. */
  readonly subject: string;
  readonly key: string;
  /** Undefined: take it away. */
  readonly value?: string;
  readonly overwrite: boolean;
}

function askedFor(call: Call): Asked {
  const [kind = '', name = '', label = ''] = call.arguments;
  const common = { subject: `${kind} ${name}`, overwrite: flag(call, 'overwrite') };
  if (flag(call, 'remove')) return { ...common, key: label };
  const [key = '', value, ...rest] = label.split('=');
  if (key === '' || value === undefined || rest.length > 0) {
    throw new LabelRefused(`invalid label ${label}`, 'write KEY=VALUE, or KEY --remove');
  }
  const why = explainBadLabel(key, value);
  if (why !== undefined) throw new LabelRefused(`invalid label ${label}: ${why}`);
  return { ...common, key, value };
}

function changeOf(before: Labels, { subject, key, value, overwrite }: Asked): Change {
  const present = Object.hasOwn(before, key);
  if (value === undefined) {
    if (!present) throw new LabelRefused(`cannot remove label of ${subject}, key ${key} does not exist`);
    const labels = Object.fromEntries(Object.entries(before).filter(([name]) => name !== key));
    return { labels, done: 'removed label', preposition: 'from' };
  }
  if (present && before[key] !== value && !overwrite) {
    throw new LabelRefused(
      `failed to update label of ${subject}, key ${key} is already present. please use '--overwrite' to set a new value`,
    );
  }
  return { labels: { ...before, [key]: value }, done: present ? 'updated label' : 'set label', preposition: 'on' };
}

/** label KIND NAME KEY=VALUE, or KEY --remove. */
export async function labelResource(call: Call, context: Context): Promise<Result> {
  const asked = askedFor(call);
  const key = namedResource(call, 'label');
  const client = await context.connect();
  let done = '';
  const relabel = (resource: PublicResourceByKind[PublicKind]): unknown => {
    const change = changeOf(resource.metadata.labels ?? {}, asked);
    done = `${change.done} ${asked.key} ${change.preposition} ${asked.subject}`;
    return { ...resource, metadata: { ...resource.metadata, labels: change.labels } };
  };
  await warnOfChange(key, relabel, { client, call, context });
  try {
    await client.change(key, relabel);
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof LabelRefused) throw error;
    const lead = error instanceof NotFoundError ? '' : `failed to update ${asked.subject}, label not changed: `;
    return { errors: describeFailures(error, key).map((failure) => `${lead}${formatFailure(failure)}`) };
  }
  return { output: [line(`${doneLead(flag(call, 'dryRun'))} ${done}`)] };
}
