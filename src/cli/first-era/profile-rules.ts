import type { Rule } from '../../api/rule.js';
import type { Context } from '../command.js';
import { line, type Result } from '../result.js';
import type { TypedCall } from './perform.js';
import { changeProfile, findProfile, missingProfile } from './profile-store.js';
import { Refusal } from './refusal.js';
import { formatOldRule, readOldRules } from './rule-json.js';
import { formatRulePhrase, parseRulePhrase } from './rule-phrase.js';

function fieldOf(call: TypedCall): 'ingress' | 'egress' {
  return call.has('inbound') ? 'ingress' : 'egress';
}

/** The rule that was typed: its action stands before the rest. */
function typedRule(call: TypedCall): Rule {
  return parseRulePhrase(call.line, call.startOf('match') - 1);
}

/** The number after `--at`; undefined when it is none. */
function position(call: TypedCall): number | undefined {
  const text = call.find('at') ?? '';
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;
}

function noPosition(call: TypedCall, last: number): Refusal {
  const range = last === 1 ? 'the only one is 1' : `they are 1 to ${last}`;
  return new Refusal(`There is no position ${call.find('at') ?? ''}: ${last === 0 ? 'there are no rules' : range}.`);
}

/** profile P rule add (inbound|outbound) [--at=N] (allow|deny) [MATCH] */
export async function addRule(call: TypedCall, context: Context): Promise<Result> {
  const rule = typedRule(call);
  const field = fieldOf(call);
  const wantsPosition = call.find('at') !== undefined;
  const client = await context.connect();
  return changeProfile(client, call.word('profile'), (spec) => {
    const rules = spec[field] ?? [];
    const at = wantsPosition ? position(call) : rules.length + 1;
    if (at === undefined || at > rules.length + 1) throw noPosition(call, rules.length + 1);
    return { ...spec, [field]: rules.toSpliced(at - 1, 0, rule) };
  });
}

/** profile P rule remove (inbound|outbound) --at=N */
export async function removeRuleAt(call: TypedCall, context: Context): Promise<Result> {
  const field = fieldOf(call);
  return changeProfile(await context.connect(), call.word('profile'), (spec) => {
    const rules = spec[field] ?? [];
    const at = position(call);
    if (at === undefined || at > rules.length) throw noPosition(call, rules.length);
    return { ...spec, [field]: rules.toSpliced(at - 1, 1) };
  });
}

/** profile P rule remove (inbound|outbound) (allow|deny) [MATCH] */
export async function removeRule(call: TypedCall, context: Context): Promise<Result> {
  const phrase = formatRulePhrase(typedRule(call));
  const field = fieldOf(call);
  const profile = call.word('profile');
  return changeProfile(await context.connect(), profile, (spec) => {
    const rules = spec[field] ?? [];
    const at = rules.findIndex((rule) => formatRulePhrase(rule) === phrase);
    if (at < 0) {
      throw new Refusal(`There is no rule "${phrase}".`, `see them with: calicoctl profile ${profile} rule show`);
    }
    return { ...spec, [field]: rules.toSpliced(at, 1) };
  });
}

function ruleLines(rules: readonly Rule[] = [], name: string): readonly string[] {
  return rules.map((rule, index) => {
    const phrase = formatRulePhrase(rule) ?? `(more than these words can say: calicoctl get profile ${name} -o yaml)`;
    return `${String(index + 1).padStart(3)} ${phrase}`;
  });
}

/** profile P rule show */
export async function showRules(call: TypedCall, context: Context): Promise<Result> {
  const profile = await findProfile(await context.connectToRead(), call.word('profile'));
  if (profile === undefined) return missingProfile(call.word('profile'));
  const { ingress, egress } = profile.spec;
  const { name } = profile.metadata;
  const lines = ['Inbound rules:', ...ruleLines(ingress, name), 'Outbound rules:', ...ruleLines(egress, name)];
  return { output: lines.map(line) };
}

/** profile P rule json */
export async function showRulesAsJson(call: TypedCall, context: Context): Promise<Result> {
  const typed = call.word('profile');
  const profile = await findProfile(await context.connectToRead(), typed);
  if (profile === undefined) return missingProfile(typed);
  const { ingress = [], egress = [] } = profile.spec;
  const lists = { inbound_rules: ingress.map(formatOldRule), outbound_rules: egress.map(formatOldRule) };
  if ([...lists.inbound_rules, ...lists.outbound_rules].includes(undefined)) {
    return {
      errors: [
        `Profile ${typed} has rules that JSON of the first era cannot say.\n  hint: calicoctl get profile ${profile.metadata.name} -o json`,
      ],
    };
  }
  return { output: [line(JSON.stringify(lists, undefined, 2))] };
}

/** profile P rule update, with JSON on standard input */
export async function updateRules(call: TypedCall, context: Context): Promise<Result> {
  const lists = readOldRules(await context.readStdin());
  return changeProfile(await context.connect(), call.word('profile'), (spec) => ({ ...spec, ...lists }));
}
