import { defaultAllowProfile, type Profile } from '../../api/kinds/profile.js';
import { convertProfileName } from '../../api/v1/names.js';
import { API_VERSION } from '../../api/meta.js';
import { NotFoundError } from '../../base/errors.js';
import type { Context } from '../command.js';
import { type Block, line, type Result } from '../result.js';
import { identityCells } from './endpoint-identity.js';
import type { PROFILE } from './families.js';
import type { FormHandlers, TypedCall } from './perform.js';
import { addRule, removeRule, removeRuleAt, showRules, showRulesAsJson, updateRules } from './profile-rules.js';
import { changeProfile, findProfile, missingProfile, type ProfileSpec } from './profile-store.js';
import { Refusal } from './refusal.js';
import { selectorOfTag, TAG } from './rule-phrase.js';

const PROFILE_NAME = /^[a-zA-Z0-9_.-]{1,39}$/;

const BAD_PROFILE_NAME =
  'Profile names can only contain numbers, letters, dots, dashes and underscores, and must be shorter than 40 characters.';

const BAD_TAG =
  'Tags can only contain numbers, letters, dots, dashes and underscores, and end in none of the latter three.';

async function show(call: TypedCall, context: Context): Promise<Result> {
  const client = await context.connectToRead();
  const profiles = (await client.list('Profile'))
    .map(({ value }) => value.metadata.name)
    .filter((name) => name !== defaultAllowProfile.metadata.name);
  if (!call.has('detailed')) {
    const table: Block = { type: 'box', headings: ['Name'], rows: profiles.map((name) => [name]), align: 'centre' };
    return { output: [table] };
  }
  const endpoints = (await client.list('WorkloadEndpoint')).map(({ value }) => value);
  const rows = profiles.flatMap((name) => {
    const users = endpoints.filter(({ spec }) => spec.profiles?.includes(name) === true);
    if (users.length === 0) return [[name, 'None', 'None', 'None', 'None']];
    return users.map((endpoint) => [name, ...identityCells(endpoint)]);
  });
  const headings = ['Name', 'Host', 'Orchestrator ID', 'Workload ID', 'Endpoint ID'];
  return { output: [{ type: 'box', headings, rows, align: 'centre' }] };
}

async function add(call: TypedCall, context: Context): Promise<Result> {
  const typed = call.word('profile');
  const name = convertProfileName(typed);
  if (!PROFILE_NAME.test(typed) || !TAG.test(typed)) return { errors: [BAD_PROFILE_NAME] };
  const client = await context.connect();
  if ((await findProfile(client, typed)) !== undefined) return { output: [line(`Profile ${typed} already exists.`)] };
  await client.create({
    apiVersion: API_VERSION,
    kind: 'Profile',
    metadata: { name },
    spec: {
      labelsToApply: { [typed]: '' },
      ingress: [{ action: 'Allow', source: { selector: selectorOfTag(typed) } }],
      egress: [{ action: 'Allow' }],
    },
  } satisfies Profile);
  if (name !== typed) context.tell(`note: names have neither capitals nor "_" today: the profile is called "${name}"`);
  return { output: [line(`Created profile ${typed}`)] };
}

async function remove(call: TypedCall, context: Context): Promise<Result> {
  const typed = call.word('profile');
  const client = await context.connect();
  const profile = await findProfile(client, typed);
  if (profile === undefined) return missingProfile(typed);
  const { name } = profile.metadata;
  if (!call.isDeclined('check')) {
    const users = (await client.list('WorkloadEndpoint')).filter(({ value }) => value.spec.profiles?.includes(name));
    if (users.length > 0) {
      const headings = ['Host', 'Orchestrator ID', 'Workload ID', 'Endpoint ID'];
      const rows = users.map(({ value }) => identityCells(value));
      return {
        output: [{ type: 'box', headings, rows, align: 'centre' }],
        errors: [
          `Cannot remove profile ${typed}: the endpoints above use it.\n  hint: take it from them, or remove it all the same with --no-check`,
        ],
      };
    }
  }
  try {
    await client.delete({ kind: 'Profile', name });
  } catch (error) {
    if (error instanceof NotFoundError) return missingProfile(typed);
    throw error;
  }
  return { output: [line(`Deleted profile ${typed}`)] };
}

async function showTags(call: TypedCall, context: Context): Promise<Result> {
  const profile = await findProfile(await context.connectToRead(), call.word('profile'));
  if (profile === undefined) return missingProfile(call.word('profile'));
  const tags = Object.entries(profile.spec.labelsToApply ?? {}).map(([key, value]) =>
    value === '' ? key : `${key}=${value}`,
  );
  return { output: tags.toSorted().map(line) };
}

async function addTag(call: TypedCall, context: Context): Promise<Result> {
  const [typed, tag] = [call.word('profile'), call.word('tag')];
  if (!TAG.test(tag)) return { errors: [BAD_TAG] };
  const change = (spec: ProfileSpec): ProfileSpec => {
    const value = spec.labelsToApply?.[tag] ?? '';
    if (value !== '') throw new Refusal(`Profile ${typed} has the label ${tag} with the value "${value}".`);
    return { ...spec, labelsToApply: { ...spec.labelsToApply, [tag]: '' } };
  };
  const done = { output: [line(`Tag ${tag} added to profile ${typed}`)] };
  return changeProfile(await context.connect(), typed, change, done);
}

async function removeTag(call: TypedCall, context: Context): Promise<Result> {
  const [typed, tag] = [call.word('profile'), call.word('tag')];
  const change = (spec: ProfileSpec): ProfileSpec => {
    const { [tag]: value, ...others } = spec.labelsToApply ?? {};
    if (value !== '') throw new Refusal(`Tag ${tag} is not in profile ${typed}.`);
    return { ...spec, labelsToApply: others };
  };
  const done = { output: [line(`Tag ${tag} removed from profile ${typed}`)] };
  return changeProfile(await context.connect(), typed, change, done);
}

export const profileHandlers: FormHandlers<typeof PROFILE.forms> = {
  show,
  add,
  remove,
  'tag show': showTags,
  'tag add': addTag,
  'tag remove': removeTag,
  'rule add': addRule,
  'rule remove at': removeRuleAt,
  'rule remove': removeRule,
  'rule show': showRules,
  'rule json': showRulesAsJson,
  'rule update': updateRules,
};
