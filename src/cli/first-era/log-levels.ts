import { API_VERSION } from '../../api/meta.js';
import type { FelixConfiguration } from '../../api/kinds/felix-configuration.js';
import type { Client } from '../../client/client.js';
import type { Context } from '../command.js';
import { line, type Result } from '../result.js';
import { editBgpConfiguration, readBgpConfiguration } from './bgp-settings.js';
import type { CONFIG } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { repeatOnConflict } from './repeat.js';
import { thisNode } from './this-host.js';

type Fields = Readonly<Record<string, unknown>>;

/** A resource whose settings `config` shows and changes. */
interface Target {
  readonly component: string;
  /** Word of the first era → word of today. */
  readonly levels: Readonly<Record<string, string>>;
  read(client: Client): Promise<Fields>;
  write(client: Client, edit: (spec: Fields) => Fields): Promise<void>;
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

const FELIX_KEY = { kind: 'FelixConfiguration', name: 'default' } as const;

const FELIX: Target = {
  component: 'felix',
  levels: FELIX_LEVELS,
  read: async (client) => (await client.find(FELIX_KEY))?.value.spec ?? {},
  write: (client, edit) =>
    repeatOnConflict(async () => {
      const stored = await client.find(FELIX_KEY);
      if (stored === undefined) {
        const spec = edit({}) as FelixConfiguration['spec'];
        await client.create({ apiVersion: API_VERSION, kind: FELIX_KEY.kind, metadata: { name: 'default' }, spec });
        return;
      }
      const { value, revision } = stored;
      const spec = edit(value.spec) as FelixConfiguration['spec'];
      await client.update({ ...value, metadata: { ...value.metadata, resourceVersion: revision }, spec });
    }),
};

function bgpTarget(name: string): Target {
  return {
    component: 'bgp',
    levels: BGP_LEVELS,
    read: (client) => readBgpConfiguration(client, name),
    write: (client, edit) => editBgpConfiguration(client, name, edit),
  };
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
    await target.write(await context.connect(), (spec) =>
      Object.fromEntries(Object.entries(spec).filter(([name]) => name !== field)),
    );
    return {};
  }
  if (value !== undefined) {
    await target.write(await context.connect(), (spec) => ({ ...spec, [field]: value }));
    return {};
  }
  const stored = (await target.read(await context.connectToRead()))[field];
  return { output: [line(stored === undefined ? 'No value set' : shown(stored, target))] };
}

export const configHandlers: FormHandlers<typeof CONFIG.forms> = {
  felix: (call, context) => configure(call, context, FELIX),
  bgp: (call, context) => configure(call, context, bgpTarget('default')),
  'node bgp': async (call, context) => configure(call, context, bgpTarget(`node.${await thisNode(context)}`)),
};
