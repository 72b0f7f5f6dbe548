import type { EntityRule, Rule } from '../../api/rule.js';
import { PROTOCOL_NAMES } from '../../api/rule.js';
import { CalicoError } from '../../base/errors.js';
import { formatRulePhrase, readNet, selectorOfTag, TAG, tagOfSelector } from './rule-phrase.js';

/** A rule as the first era stored it. */
type OldRule = Readonly<Record<string, unknown>>;

export interface RuleLists {
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

function oldEntity(prefix: 'src' | 'dst', { ports, selector, nets }: EntityRule = {}): OldRule {
  const tag = selector === undefined ? undefined : tagOfSelector(selector);
  return {
    ...(tag === undefined ? {} : { [`${prefix}_tag`]: tag }),
    ...(nets?.[0] === undefined ? {} : { [`${prefix}_net`]: nets[0] }),
    ...(ports === undefined ? {} : { [`${prefix}_ports`]: ports }),
  };
}

/** A rule in the JSON of the first era; undefined for one that it cannot say. */
export function formatOldRule(rule: Rule): OldRule | undefined {
  if (formatRulePhrase(rule) === undefined) return undefined;
  const { action, protocol, icmp, source, destination } = rule;
  return {
    action: action.toLowerCase(),
    ...(protocol === undefined ? {} : { protocol: String(protocol).toLowerCase() }),
    ...(icmp?.type === undefined ? {} : { icmp_type: icmp.type }),
    ...(icmp?.code === undefined ? {} : { icmp_code: icmp.code }),
    ...oldEntity('src', source),
    ...oldEntity('dst', destination),
  };
}

function bad(where: string, what: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', `${where}: ${what}`, {
    hint: 'see the form with: calicoctl profile NAME rule json',
  });
}

/** Takes fields one by one; what is left at the end is unknown. */
class Fields {
  readonly #left: Map<string, unknown>;
  readonly where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(where, 'it is no object');
    this.#left = new Map(Object.entries(value));
    this.where = where;
  }

  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value ?? undefined;
  }

  text(name: string): string | undefined {
    const value = this.take(name);
    if (value !== undefined && typeof value !== 'string') throw bad(`${this.where}.${name}`, 'it is no text');
    return value;
  }

  end(): void {
    const [unknown] = this.#left.keys();
    if (unknown !== undefined) throw bad(this.where, `there is no field "${unknown}"`);
  }
}

function readEntity(fields: Fields, prefix: 'src' | 'dst'): EntityRule | undefined {
  const tag = fields.text(`${prefix}_tag`);
  const text = fields.text(`${prefix}_net`);
  const ports = fields.take(`${prefix}_ports`);
  const net = text === undefined ? undefined : readNet(text);
  if (tag !== undefined && !TAG.test(tag)) throw bad(`${fields.where}.${prefix}_tag`, `"${tag}" is no tag`);
  if (text !== undefined && net === undefined) throw bad(`${fields.where}.${prefix}_net`, `"${text}" is no CIDR`);
  if (ports !== undefined && !Array.isArray(ports)) throw bad(`${fields.where}.${prefix}_ports`, 'it is no list');
  const entity = {
    ...(tag === undefined ? {} : { selector: selectorOfTag(tag) }),
    ...(net === undefined ? {} : { nets: [net] }),
    // What a port may be, the profile's schema says with the place.
    ...(ports === undefined ? {} : { ports: ports as (number | string)[] }),
  };
  return Object.keys(entity).length === 0 ? undefined : entity;
}

function readNumber(fields: Fields, name: string): number | undefined {
  const value = fields.take(name);
  if (value !== undefined && typeof value !== 'number') throw bad(`${fields.where}.${name}`, 'it is no number');
  return value;
}

function readRule(value: unknown, where: string): Rule {
  const fields = new Fields(value, where);
  const action = fields.text('action') ?? 'allow';
  if (action !== 'allow' && action !== 'deny') throw bad(`${where}.action`, `"${action}" is neither allow nor deny`);
  const typed = fields.text('protocol');
  const protocol = PROTOCOL_NAMES.find((name) => name.toLowerCase() === typed);
  if (typed !== undefined && protocol === undefined) throw bad(`${where}.protocol`, `"${typed}" is no protocol`);
  const type = readNumber(fields, 'icmp_type');
  const code = readNumber(fields, 'icmp_code');
  const source = readEntity(fields, 'src');
  const destination = readEntity(fields, 'dst');
  fields.end();
  return {
    action: action === 'allow' ? 'Allow' : 'Deny',
    ...(protocol === undefined ? {} : { protocol }),
    ...(type === undefined ? {} : { icmp: { type, ...(code === undefined ? {} : { code }) } }),
    ...(source === undefined ? {} : { source }),
    ...(destination === undefined ? {} : { destination }),
  };
}

/**
 * Reads `{"inbound_rules": [{"action": "allow", "src_tag": "web"}], "outbound_rules": […]}`.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_USAGE` it is no JSON, or not of this form; names the place
 */
export function readOldRules(text: string): RuleLists {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CalicoError('ERR_CALI_CLI_USAGE', 'standard input is not JSON', {
      hint: 'see the form with: calicoctl profile NAME rule json',
      cause,
    });
  }
  const fields = new Fields(value, 'rules');
  fields.take('id');
  const list = (name: string): readonly Rule[] => {
    const rules = fields.take(name) ?? [];
    if (!Array.isArray(rules)) throw bad(name, 'it is no list');
    return rules.map((rule, index) => readRule(rule, `${name}[${index}]`));
  };
  const lists = { ingress: list('inbound_rules'), egress: list('outbound_rules') };
  fields.end();
  return lists;
}
