import type { Context } from '../command.js';
import { line, type Result } from '../result.js';
import type { CONFIG } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { editSettings, readSettings, type SettingsKey } from './settings-store.js';
import { thisNode } from './this-host.js';

/** A resource whose settings `config` shows and changes. */
interface Target {
  readonly component: string;
  /** Word of the first era → word of today. */
  readonly levels: Readonly<Record<string, string>>;
  readonly key: SettingsKey;
}

const LEVEL_FIELD = 'logSeverityScreen';

const FELIX_LEVELS = {
  none: 'None',
  debug: 'Debug',
  info: 'Info',
  warning: 'Warning',
  error: 'Error',
  critical: 'Fatal',
};
/** BIRD's log has no level between all and the usual. */
const BGP_LEVELS = { none: 'Fatal', debug: 'Debug', info: 'Info' };

const FELIX: Target = {
  component: 'felix',
  levels: FELIX_LEVELS,
  key: { kind: 'FelixConfiguration', name: 'default' },
};

function bgpTarget(name: string): Target {
  return { component: 'bgp', levels: BGP_LEVELS, key: { kind: 'BGPConfiguration', name } };
}

/** `true`, `3` and text as YAML would read them. */
function looseValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** The field and value that a name and a word stand for, or why they stand for none. */
function fieldOf(call: TypedCall, { levels, component }: Target): { field: string; value: unknown } | Result {
  const [name, text] = [call.word('name'), call.find('value')];
  const isForced = call.has('force');
  if (name !== 'loglevel') {
    if (isForced) return { field: name, value: text === undefined ? undefined : looseValue(text) };
    return {
      errors: [
        `Unsupported config for ${component}: ${name}\n  hint: write loglevel, or give a field of the resource with --force`,
      ],
    };
  }
  if (text === undefined) return { field: LEVEL_FIELD, value: undefined };
  const value = levels[text] ?? (isForced ? text : undefined);
  if (value !== undefined) return { field: LEVEL_FIELD, value };
  return {
    errors: [`Unsupported value for ${component} loglevel: ${text}\n  hint: write ${Object.keys(levels).join(', ')}`],
  };
}

function shown(value: unknown, { levels }: Target): string {
  const word = Object.keys(levels).find((key) => levels[key] === value);
  return word ?? (typeof value === 'string' ? value : JSON.stringify(value));
}

async function configure(call: TypedCall, context: Context, target: Target): Promise<Result> {
  const setting = fieldOf(call, target);
  if (!('field' in setting)) return setting;
  const { field, value } = setting;
  if (call.has('remove')) {
    if (value !== undefined) return { errors: ['A value does not go with --remove.'] };
    await editSettings(await context.connect(), target.key, (settings) =>
      Object.fromEntries(Object.entries(settings).filter(([name]) => name !== field)),
    );
    return {};
  }
  if (value !== undefined) {
    await editSettings(await context.connect(), target.key, (settings) => ({ ...settings, [field]: value }));
    return {};
  }
  const stored = (await readSettings(await context.connectToRead(), target.key))[field];
  return { output: [line(stored === undefined ? 'No value set' : shown(stored, target))] };
}

export const configHandlers: FormHandlers<typeof CONFIG.forms> = {
  felix: (call, context) => configure(call, context, FELIX),
  bgp: (call, context) => configure(call, context, bgpTarget('default')),
  'node bgp': async (call, context) => configure(call, context, bgpTarget(`node.${await thisNode(context)}`)),
};
