import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeTyped, parseResource } from '../../api/validate.js';
import { isPublicKind, type PublicKind, type PublicResourceByKind } from '../../api/registry.js';
import { CalicoError, ValidationError } from '../../base/errors.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { type Call, type Context, flag } from '../command.js';
import { type ManifestEntry, readManifest } from './manifest.js';
import { describeIssue, type Failure, formatFailure, type Locate } from '../messages.js';
import { readOnlyReason } from '../named-resource.js';
import { whyUnreadable } from '../unreadable.js';
import { namespaceChoice, type NamespaceChoice, resolveNamespace } from '../namespace.js';

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

async function leadsToDirectory(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isDirectory();
  } catch {
    return false;
  }
}

async function filesIn(directory: string, isRecursive: boolean): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && isRecursive) found.push(...(await filesIn(path, true)));
    else if (!RESOURCE_FILE.test(entry.name)) continue;
    // Files of a mounted ConfigMap are links; one that leads nowhere is told when it is read.
    else if (entry.isFile() || (entry.isSymbolicLink() && !(await leadsToDirectory(path)))) found.push(path);
  }
  return found;
}

function unreadable(path: string, cause: unknown): Failure {
  if (cause instanceof CalicoError) return withHint(cause);
  return { text: `failed to execute command: cannot read "${path}": ${whyUnreadable(cause)}` };
}

function withHint({ message, hint }: CalicoError): Failure {
  return hint === undefined ? { text: message } : { text: message, hint };
}

async function pathsBelow(path: string, call: Call): Promise<readonly string[] | undefined> {
  return (await stat(path)).isDirectory() ? filesIn(path, flag(call, 'recursive')) : undefined;
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

/** Says at its place why an object is refused; a path of '' is the object as a whole. */
function refusalOf(object: unknown, locate: Locate): (path: string, message: string) => readonly Failure[] {
  const subject = describeTyped(object);
  return (path, message) => [
    describeIssue({ code: 'rule', path, message }, subject, (issue) => locate({ ...issue, path: path || 'kind' })),
  ];
}

function readEntry(object: unknown, locate: Locate, reading: Reading): InputResource | readonly Failure[] {
  const subject = describeTyped(object);
  let parsed: PublicResourceByKind[PublicKind];
  try {
    parsed = withoutServerFields(parseResource(object));
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.issues.map((issue) => describeIssue(issue, subject, locate));
  }
  const fail = refusalOf(object, locate);
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
  // Of a kind whose name its fields give.
  if (typeof name !== 'string' || name === '') return readEntry(object, locate, reading);
  const wanted = typeof namespace === 'string' ? namespace : undefined;
  let resolved: string | undefined;
  try {
    resolved = resolveNamespace(kind, wanted, reading.choice);
  } catch (error) {
    if (error instanceof CalicoError) return refusalOf(object, locate)('metadata.namespace', error.message);
    throw error;
  }
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

/** Whoever made so many mistakes made one mistake; and what is no manifest at all is not worth reading on. */
const FAILURES_LIMIT = 100;

/** Gathers what the files of `-f` hold, one after the other. */
class InputReader<T> {
  readonly items: T[] = [];
  readonly failures: Failure[] = [];
  readonly #call: Call;
  readonly #context: Context;
  readonly #look: (entry: ManifestEntry) => T | readonly Failure[];

  /** @param look makes of an object what is gathered, or says what is wrong with it */
  constructor(call: Call, context: Context, look: (entry: ManifestEntry) => T | readonly Failure[]) {
    this.#call = call;
    this.#context = context;
    this.#look = look;
  }

  async readAll(): Promise<void> {
    const paths = (this.#call.options['filename'] as readonly string[] | undefined) ?? [];
    if (this.#call.arguments.length > 0)
      throw new CalicoError('ERR_CALI_CLI_USAGE', 'give either KIND, or a file with -f: not both');
    if (paths.length === 0)
      throw new CalicoError('ERR_CALI_CLI_USAGE', 'no file given', {
        hint: 'name one with -f FILE, or -f - for standard input',
      });
    for (const path of paths) if (!this.#isGivenUp) await this.#readPath(path);
  }

  get #isGivenUp(): boolean {
    return this.failures.length >= FAILURES_LIMIT;
  }

  /** One argument of `-f`: a file, a directory, or standard input. */
  async #readPath(path: string): Promise<void> {
    const before = this.items.length + this.failures.length;
    let isDirectory = false;
    try {
      if (path === '-') this.#readText('stdin', await this.#context.readStdin());
      else {
        const paths = await pathsBelow(path, this.#call);
        isDirectory = paths !== undefined;
        for (const file of paths ?? [path]) await this.#readFile(file);
      }
    } catch (cause) {
      this.failures.push(unreadable(path, cause));
    }
    const isEmpty = this.items.length + this.failures.length === before;
    if (!isEmpty || flag(this.#call, 'skipEmpty')) return;
    this.failures.push({ text: `no resources specified in ${isDirectory ? 'directory' : 'file'} ${path}` });
  }

  async #readFile(file: string): Promise<void> {
    if (this.#isGivenUp) return;
    let text: string;
    try {
      text = await this.#context.readFile(file);
    } catch (cause) {
      this.failures.push(unreadable(file, cause));
      return;
    }
    this.#readText(file, text);
  }

  #readText(name: string, text: string): void {
    for (const entry of readManifest(name, text)) {
      const seen = entry instanceof CalicoError ? [withHint(entry)] : this.#look(entry);
      if (Array.isArray(seen)) this.failures.push(...(seen as readonly Failure[]));
      else this.items.push(seen as T);
      if (this.#isGivenUp) {
        this.failures.splice(FAILURES_LIMIT);
        this.failures.push({ text: `${name}: too many mistakes: what follows was not read` });
        return;
      }
    }
  }
}

/** What `-f` names, read but not yet looked at. */
export interface TypedInput {
  readonly entries: readonly ManifestEntry[];
  /** Files that cannot be read, hold nothing, or are no YAML. */
  readonly failures: readonly Failure[];
}

/** Every object of all files of `-f`. */
export async function readManifests(call: Call, context: Context): Promise<TypedInput> {
  const reader = new InputReader(call, context, (entry) => entry);
  await reader.readAll();
  return { entries: reader.items, failures: reader.failures };
}

/** Reads all files of `-f`, whole: every failure of every file is found before anything is written. */
export async function readInput(call: Call, context: Context, options: InputOptions): Promise<Input> {
  const forWriting = options.forWriting ?? options.operation !== 'get';
  const reading = { operation: options.operation, forWriting, choice: namespaceChoice(call) };
  const read = options.referencesOnly === true ? readReference : readEntry;
  const reader = new InputReader<InputResource>(call, context, ({ object, locate }) => read(object, locate, reading));
  await reader.readAll();
  return { resources: reader.items, failures: reader.failures };
}

export function inputErrors(failures: readonly Failure[]): readonly string[] {
  return failures.map(formatFailure);
}
