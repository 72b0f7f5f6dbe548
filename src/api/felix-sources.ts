import { type FelixParameter, type FelixParameterName, felixParameters, type FelixValues } from './felix-parameters.js';
import { unusedFelixParameters } from './felix-unused-parameters.js';
import { nearest } from './issues.js';
import type { FelixConfiguration } from './kinds/felix-configuration.js';

/** Parameters from one place. Text values come from environment, file and annotations, the others from fields. */
export interface FelixSource {
  /** For messages: `environment`, `/etc/calico/felix.cfg`, `FelixConfiguration "default"`. */
  readonly description: string;
  /** Local sources may set what the datastore may not. */
  readonly isLocal: boolean;
  readonly texts: ReadonlyMap<string, string>;
  readonly fields: ReadonlyMap<string, unknown>;
}

export interface FelixProblem {
  /** What the agent says: `FELIX_LogSeverityScreen: "lod" is not one of …; using info`. */
  readonly message: string;
  readonly isFatal: boolean;
}

export interface ResolvedFelixParameters {
  readonly values: FelixValues;
  /** Names whose value did not come from the default. */
  readonly set: ReadonlySet<FelixParameterName>;
  readonly problems: readonly FelixProblem[];
}

const ENVIRONMENT_PREFIX = 'felix_';
const ANNOTATION_PREFIX = 'config.projectcalico.org/';

/** `FELIX_…` variables. */
export function felixEnvironment(environment: Readonly<Record<string, string | undefined>>): FelixSource {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && name.toLowerCase().startsWith(ENVIRONMENT_PREFIX)) {
      texts.set(name.slice(ENVIRONMENT_PREFIX.length), value);
    }
  }
  return { description: 'environment', isLocal: true, texts, fields: new Map() };
}

/** Text of `/etc/calico/felix.cfg`: `Name = value` lines; sections and lines that begin with `#` or `;` do not matter. */
export function felixFile(path: string, contents: string): FelixSource {
  const texts = new Map<string, string>();
  for (const line of contents.split(/\r?\n/)) {
    const match = /^\s*([A-Za-z]\w*)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (match !== null) texts.set(match[1] ?? '', match[2] ?? '');
  }
  return { description: path, isLocal: true, texts, fields: new Map() };
}

/** A FelixConfiguration: its fields, overridden by annotations `config.projectcalico.org/<Name>`. */
export function felixResource(resource: FelixConfiguration): FelixSource {
  const texts = new Map<string, string>();
  for (const [key, value] of Object.entries(resource.metadata.annotations ?? {})) {
    if (key.startsWith(ANNOTATION_PREFIX)) texts.set(key.slice(ANNOTATION_PREFIX.length), value);
  }
  const fields = new Map(Object.entries(resource.spec));
  fields.delete('nodeSelector');
  return { description: `FelixConfiguration "${resource.metadata.name}"`, isLocal: false, texts, fields };
}

const byName = new Map<string, FelixParameterName>();
for (const name of Object.keys(felixParameters) as FelixParameterName[]) {
  const parameter: FelixParameter = felixParameters[name];
  byName.set(name.toLowerCase(), name);
  if (parameter.alias !== undefined) byName.set(parameter.alias.toLowerCase(), name);
}

const unusedNames = new Set(
  Object.entries(unusedFelixParameters)
    .flatMap(([name, { alias }]) => [name, alias ?? name])
    .map((name) => name.toLowerCase()),
);

type Reading = { readonly value: unknown } | { readonly problem: FelixProblem } | undefined;

function shownName(source: FelixSource, name: string): string {
  return source.description === 'environment' ? `FELIX_${name}` : `${source.description}: ${name}`;
}

function shownDefault(parameter: FelixParameter): string {
  const { default: initial } = parameter;
  return typeof initial === 'string' || typeof initial === 'number' || typeof initial === 'boolean'
    ? `"${initial}"`
    : 'the default';
}

function refused(source: FelixSource, name: string, given: unknown, parameter: FelixParameter): Reading {
  const shown = typeof given === 'string' ? given : JSON.stringify(given);
  const message = `${shownName(source, name)}: "${shown}" is not ${parameter.form.words}`;
  const isFatal = parameter.isFatal === true;
  return { problem: { message: isFatal ? message : `${message}; using ${shownDefault(parameter)}`, isFatal } };
}

function readText(source: FelixSource, name: string, given: string, parameter: FelixParameter): Reading {
  if (given === '') return undefined;
  if (given.toLowerCase() === 'none' && parameter.form.none !== undefined) return { value: parameter.form.none };
  const value = parameter.form.parseText(given);
  return value === undefined ? refused(source, name, given, parameter) : { value };
}

function readField(source: FelixSource, name: string, given: unknown, parameter: FelixParameter): Reading {
  if (given === null || given === undefined || given === '') return undefined;
  const value = parameter.form.parseField(given);
  return value === undefined ? refused(source, name, given, parameter) : { value };
}

function unknownName(source: FelixSource, name: string): FelixProblem | undefined {
  if (unusedNames.has(name.toLowerCase())) {
    // What the datastore says is meant for every agent of a cluster, also for those of others.
    if (!source.isLocal) return undefined;
    return { message: `${shownName(source, name)} has no effect: this agent does not use it`, isFatal: false };
  }
  const meant = nearest(name, Object.keys(felixParameters));
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { message: `${shownName(source, name)} is not a known parameter${hint}`, isFatal: false };
}

/**
 * Puts sources together, the first wins: environment, file, the host's own FelixConfiguration, one selected for it, `default`. A value
 * that is none of its kind gives way to the built-in default, with a problem to report; unknown names are reported and do not matter.
 */
export function resolveFelixParameters(sources: readonly FelixSource[]): ResolvedFelixParameters {
  const values = new Map<FelixParameterName, unknown>();
  const problems: FelixProblem[] = [];
  const set = new Set<FelixParameterName>();
  const decided = new Set<FelixParameterName>();
  for (const source of sources) {
    const given = [
      ...[...source.texts].map(([name, value]) => ({
        name,
        read: (p: FelixParameter) => readText(source, name, value, p),
      })),
      ...[...source.fields].map(([name, value]) => ({
        name,
        read: (p: FelixParameter) => readField(source, name, value, p),
      })),
    ];
    for (const { name, read } of given) {
      const known = byName.get(name.toLowerCase());
      if (known === undefined) {
        const problem = unknownName(source, name);
        if (problem !== undefined) problems.push(problem);
        continue;
      }
      const parameter: FelixParameter = felixParameters[known];
      if (decided.has(known) || (parameter.isLocal === true && !source.isLocal)) continue;
      const reading = read(parameter);
      if (reading === undefined) continue;
      decided.add(known);
      if ('problem' in reading) problems.push(reading.problem);
      else {
        values.set(known, reading.value);
        set.add(known);
      }
    }
  }
  return { values: complete(values), set, problems };
}

function complete(values: ReadonlyMap<FelixParameterName, unknown>): FelixValues {
  const names = Object.keys(felixParameters) as FelixParameterName[];
  const entries = names.map((name) => [name, values.has(name) ? values.get(name) : felixParameters[name].default]);
  return Object.fromEntries(entries) as FelixValues;
}
