import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeTyped, parseResource, validate } from '../api/validate.js';
import { isPublicKind, type PublicKind, type PublicResourceByKind } from '../api/registry.js';
import { CalicoError } from '../base/errors.js';
import type { ResourceKey } from '../api/resource-update.js';
import { type Call, type Context, flag } from './command.js';
import { type ManifestEntry, parseManifest } from './manifest.js';
import { describeIssue, type Failure, formatFailure, type Locate } from './messages.js';
import { readOnlyReason } from './named-resource.js';
import { namespaceChoice, type NamespaceChoice, resolveNamespace } from './namespace.js';

/** A resource somebody typed: valid in itself, with its namespace. */
export interface InputResource {
  readonly key: ResourceKey<PublicKind>;
  readonly resource: PublicResourceByKind[PublicKind];
  readonly locate: Locate;
}

/** What was read. When there are failures, nothing of it may be written. */
export interface Input {
  readonly resources: readonly InputResource[];
  readonly failures: readonly Failure[];
}

const RESOURCE_FILE = /\.(ya?ml|json)$/;

interface Text {
  readonly name: string;
  readonly text: string;
}

async function filesIn(directory: string, isRecursive: boolean): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && isRecursive) found.push(...(await filesIn(path, true)));
    else if (entry.isFile() && RESOURCE_FILE.test(entry.name)) found.push(path);
  }
  return found;
}

function unreadable(path: string, cause: unknown): CalicoError {
  const { code } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'you may not read it',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of its path is no directory',
    ENAMETOOLONG: 'its name is too long',
    ERR_FS_FILE_TOO_LARGE: 'it is too large',
    ERR_STRING_TOO_LONG: 'it is too large',
  };
  const why = reasons[code ?? ''] ?? String(code);
  return new CalicoError('ERR_CALI_CLI_FILE', `failed to execute command: cannot read "${path}": ${why}`, { cause });
}

async function readTexts(path: string, call: Call, context: Context): Promise<readonly Text[]> {
  if (path === '-') return [{ name: 'stdin', text: await context.readStdin() }];
  try {
    const isDirectory = (await stat(path)).isDirectory();
    const files = isDirectory ? await filesIn(path, flag(call, 'recursive')) : [path];
    return await Promise.all(files.map(async (file) => ({ name: file, text: await context.readFile(file) })));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Fields a server gives; what people wrote there does not count. */
function withoutServerFields(resource: PublicResourceByKind[PublicKind]): PublicResourceByKind[PublicKind] {
  const { name, namespace, resourceVersion, labels, annotations } = resource.metadata;
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { ...resource, metadata };
}

interface Reading {
  readonly operation: string;
  readonly forWriting: boolean;
  readonly choice: NamespaceChoice;
}

function readEntry(object: unknown, locate: Locate, reading: Reading): InputResource | readonly Failure[] {
  const subject = describeTyped(object);
  const issues = validate(object);
  if (issues.length > 0) return issues.map((issue) => describeIssue(issue, subject, locate));
  const parsed = withoutServerFields(parseResource(object));
  const fail = (path: string, message: string) => [
    describeIssue({ code: 'rule', path, message }, subject, (issue) => locate({ ...issue, path: path || 'kind' })),
  ];
  try {
    const namespace = resolveNamespace(parsed.kind, parsed.metadata.namespace, reading.choice);
    const { namespace: _, ...rest } = parsed.metadata;
    const metadata = namespace === undefined ? rest : { ...rest, namespace };
    const key = { kind: parsed.kind, name: rest.name, ...(namespace === undefined ? {} : { namespace }) };
    const readOnly = reading.forWriting ? readOnlyReason(reading.operation, key) : undefined;
    return readOnly === undefined ? { key, resource: { ...parsed, metadata }, locate } : fail('', readOnly);
  } catch (error) {
    if (error instanceof CalicoError) return fail('metadata.namespace', error.message);
    throw error;
  }
}

/** Resources without name and spec are enough to delete or get. */
function readReference(object: unknown, locate: Locate, reading: Reading): InputResource | readonly Failure[] {
  const { kind, metadata, apiVersion } = (object ?? {}) as { kind?: unknown; metadata?: unknown; apiVersion?: unknown };
  if (typeof kind !== 'string' || !isPublicKind(kind)) return readEntry(object, locate, reading);
  const { name, namespace } = (metadata ?? {}) as { name?: unknown; namespace?: unknown };
  if (typeof name !== 'string') return readEntry(object, locate, reading);
  const wanted = typeof namespace === 'string' ? namespace : undefined;
  const resolved = resolveNamespace(kind, wanted, reading.choice);
  const resource = { apiVersion, kind, metadata: { name }, spec: {} } as unknown as PublicResourceByKind[PublicKind];
  const key = { kind, name, ...(resolved === undefined ? {} : { namespace: resolved }) };
  const readOnly = reading.forWriting ? readOnlyReason(reading.operation, key) : undefined;
  return readOnly === undefined ? { key, resource, locate } : [{ text: readOnly }];
}

export interface InputOptions {
  /** For refusals: `create or apply`. */
  readonly operation: string;
  /** Only kind and name matter. */
  readonly referencesOnly?: boolean;
  /** What nobody may write is refused; default true. */
  readonly forWriting?: boolean;
}

/** What `-f` names, read but not yet looked at. */
export interface TypedInput {
  readonly entries: readonly ManifestEntry[];
  /** Files and directories that hold nothing. */
  readonly failures: readonly Failure[];
}

/** Every object of all files of `-f`. @throws {CalicoError} a file that cannot be read, or is no YAML */
export async function readManifests(call: Call, context: Context): Promise<TypedInput> {
  const paths = (call.options['filename'] as readonly string[] | undefined) ?? [];
  if (paths.length === 0)
    throw new CalicoError('ERR_CALI_CLI_USAGE', 'no file given', {
      hint: 'name one with -f FILE, or -f - for standard input',
    });
  const entries: ManifestEntry[] = [];
  const failures: Failure[] = [];
  for (const path of paths) {
    const texts = await readTexts(path, call, context);
    const found = texts.flatMap(({ name, text }) => parseManifest(name, text));
    if (found.length === 0 && !flag(call, 'skipEmpty')) {
      const isFile = texts.length === 1 && (path === '-' || texts[0]?.name === path);
      failures.push({ text: `no resources specified in ${isFile ? 'file' : 'directory'} ${path}` });
    }
    entries.push(...found);
  }
  return { entries, failures };
}

/** Reads all files of `-f`, whole: every failure of every file is found before anything is written. */
export async function readInput(call: Call, context: Context, options: InputOptions): Promise<Input> {
  const { entries, failures: empty } = await readManifests(call, context);
  const forWriting = options.forWriting ?? options.operation !== 'get';
  const reading = { operation: options.operation, forWriting, choice: namespaceChoice(call) };
  const resources: InputResource[] = [];
  const failures: Failure[] = [...empty];
  for (const { object, locate } of entries) {
    const read = (options.referencesOnly === true ? readReference : readEntry)(object, locate, reading);
    if ('key' in read) resources.push(read);
    else failures.push(...read);
  }
  return { resources, failures };
}

export function inputErrors(failures: readonly Failure[]): readonly string[] {
  return failures.map(formatFailure);
}
