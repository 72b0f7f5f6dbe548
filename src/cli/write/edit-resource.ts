import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PublicKind, PublicResourceByKind } from '../../api/registry.js';
import type { ResourceKey } from '../../api/resource-update.js';
import { parseResource, validate } from '../../api/validate.js';
import { CalicoError, NotFoundError, UnsupportedError, ValidationError } from '../../base/errors.js';
import type { Client } from '../../client/client.js';
import type { Stored } from '../../datastore/datastore.js';
import { type Call, type Context, flag } from '../command.js';
import { withoutInterrupts } from '../interruption.js';
import { parseValue } from '../manifests/manifest.js';
import { describeFailures, doneLead, type Failure, formatFailure } from '../messages.js';
import { namedResource } from '../named-resource.js';
import { isNotInstalled, runProgram } from '../programs.js';
import { line, type Result } from '../result.js';
import { changedIdentity } from './identity.js';
import { warnOf } from './warnings.js';
import { formatYaml } from '../yaml-text.js';

const INTRODUCTION = [
  'Change what stands below, save, and leave the editor. Lines that begin with # do not count.',
  'Left as it is, or empty, nothing is changed.',
];

function asComment(lines: readonly string[]): string {
  return `${lines.map((text) => `# ${text}`.trimEnd()).join('\n')}\n`;
}

/** What went wrong, above what was typed. */
function complaint(failures: readonly Failure[]): string {
  const lines = failures.flatMap((failure) => formatFailure(failure).split('\n'));
  const after = 'Mend it below. Left as it is, nothing is changed, and the file is kept.';
  return asComment(['This could not be saved:', ...lines.map((text) => `  ${text}`), after]);
}

/** Lines that {@link complaint} takes for a failure without hint, as those of YAML are. */
const COMPLAINT_LINES = 3;

function withoutComment(text: string): string {
  return text.replace(/^(#.*(\n|$))*/, '');
}

/** The words of `code --wait`; blanks within quotes belong to a word. */
function editorWords(environment: Context['environment']): readonly string[] {
  const chosen = ['CALICOCTL_EDITOR', 'VISUAL', 'EDITOR'].map((name) => environment[name]?.trim() ?? '');
  const text = chosen.find((each) => each !== '') ?? 'vi';
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}

/** Runs the editor; Ctrl-C in it is the editor's own. @throws {CalicoError} it cannot be started, or says that it failed */
async function letEdit(path: string, environment: Context['environment']): Promise<void> {
  const [file = 'vi', ...words] = editorWords(environment);
  const run = () => runProgram(file, [...words, path], { isInteractive: true, environment });
  try {
    const { status } = await withoutInterrupts(run);
    if (status === 0) return;
    throw new CalicoError('ERR_CALI_CLI_PROGRAM', `the editor "${file}" ended with status ${status}`);
  } catch (cause) {
    if (!(cause instanceof CalicoError) || !isNotInstalled(cause)) throw cause;
    throw new CalicoError('ERR_CALI_CLI_PROGRAM', `the editor "${file}" is not installed`, {
      hint: 'name another in CALICOCTL_EDITOR, VISUAL or EDITOR',
      cause,
    });
  }
}

/** As it is given to the editor: with its revision, so that nobody else's change is overwritten. */
function editable({ value, revision }: Stored<PublicKind>): string {
  const { uid: _, creationTimestamp: __, ...metadata } = value.metadata;
  return formatYaml({ ...value, metadata: { ...metadata, resourceVersion: revision } });
}

/** What can be mended in the editor. Everything else is for another day: the file is kept. */
function isMendable(error: unknown): error is CalicoError {
  return error instanceof ValidationError || error instanceof UnsupportedError || error instanceof NotThatResource;
}

class NotThatResource extends CalicoError {}

function refuseOther(stored: PublicResourceByKind[PublicKind], typed: unknown): void {
  const changed = changedIdentity(stored, typed);
  if (changed === undefined) return;
  throw new NotThatResource('ERR_CALI_CLI_EDIT', `${changed.field} cannot change: it says which resource it is`);
}

type Attempt =
  | { readonly type: 'saved' | 'unchanged' }
  | { readonly type: 'refused'; readonly failures: readonly Failure[] };

type Warn = (resource: PublicResourceByKind[PublicKind]) => Promise<void>;

/** One resource in an editor, until it is saved or given up. */
class Editing {
  readonly #client: Client;
  readonly #stored: Stored<PublicKind>;
  readonly #key: ResourceKey<PublicKind>;
  readonly #name: string;
  readonly #original: string;
  readonly #warn: Warn;

  /** @param warn hears of each text that is valid, before it is saved */
  constructor(client: Client, stored: Stored<PublicKind>, warn: Warn) {
    this.#client = client;
    this.#warn = warn;
    this.#stored = stored;
    this.#key = stored.key;
    this.#name = `${stored.key.kind.toLowerCase()}-${stored.key.name.replaceAll(/[^\w.-]/g, '_')}.yaml`;
    this.#original = editable(stored);
  }

  /** @returns whether something was changed. @throws {CalicoError} given up; the message says where the file is */
  async run(environment: Context['environment']): Promise<boolean> {
    const directory = await mkdtemp(join(tmpdir(), 'calicoctl-edit-'));
    const path = join(directory, this.#name);
    let isKept = false;
    try {
      return await this.#untilDone(path, environment);
    } catch (error) {
      isKept = error instanceof GaveUp;
      throw error;
    } finally {
      if (!isKept) await rm(directory, { recursive: true, force: true });
    }
  }

  async #untilDone(path: string, environment: Context['environment']): Promise<boolean> {
    let comment = asComment(INTRODUCTION);
    let body = this.#original;
    let refused: readonly Failure[] | undefined;
    for (;;) {
      await writeFile(path, comment + body, { mode: 0o600 });
      try {
        await letEdit(path, environment);
        const edited = withoutComment(await readFile(path, 'utf8'));
        if (refused !== undefined && edited === body) throw gaveUp(refused, path);
        const attempt = await this.#save(edited);
        if (attempt.type !== 'refused') return attempt.type === 'saved';
        [refused, body, comment] = [attempt.failures, edited, complaint(attempt.failures)];
      } catch (error) {
        if (error instanceof GaveUp || (await this.#isUntouched(path))) throw error;
        throw gaveUp(describeFailures(error, this.#key), path, error);
      }
    }
  }

  /** Nothing would be lost with the file; an editor may have taken it away. */
  async #isUntouched(path: string): Promise<boolean> {
    const edited = await readFile(path, 'utf8').then(withoutComment, () => undefined);
    return edited === this.#original;
  }

  async #save(edited: string): Promise<Attempt> {
    if (edited.trim() === '' || edited === this.#original) return { type: 'unchanged' };
    let typed: unknown;
    try {
      typed = parseValue(this.#name, '\n'.repeat(COMPLAINT_LINES) + edited);
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      return { type: 'refused', failures: describeFailures(error, this.#key) };
    }
    if (isDeepStrictEqual(typed, parseValue(this.#name, this.#original))) return { type: 'unchanged' };
    if (validate(typed).length === 0) await this.#warn(parseResource(typed));
    try {
      await this.#client.change(this.#key, (newest) => {
        refuseOther(this.#stored.value, typed);
        const { metadata } = typed as { metadata: object };
        // The revision that was read counts, also for somebody who took it out.
        const resourceVersion = this.#stored.revision;
        return { ...newest, ...(typed as object), metadata: { ...metadata, resourceVersion } };
      });
      return { type: 'saved' };
    } catch (error) {
      if (!isMendable(error)) throw error;
      return { type: 'refused', failures: describeFailures(error, this.#key) };
    }
  }
}

class GaveUp extends CalicoError {}

function gaveUp(failures: readonly Failure[], path: string, cause?: unknown): GaveUp {
  const message = failures.map(formatFailure).join('\n');
  return new GaveUp('ERR_CALI_CLI_EDIT', message, {
    hint: `your edit is kept in ${path}: mend it there and run calicoctl replace -f ${path}`,
    cause,
  });
}

/** edit KIND NAME: in the editor that CALICOCTL_EDITOR, VISUAL or EDITOR names, or vi. */
export async function editResource(call: Call, context: Context): Promise<Result> {
  const key = namedResource(call, 'edit');
  const client = await context.connect();
  let stored: Stored<PublicKind>;
  try {
    stored = await client.get(key);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { errors: describeFailures(error, key).map(formatFailure) };
  }
  const warn: Warn = (resource) => warnOf([{ key: stored.key, resource, isWhole: true }], { client, call, context });
  const isChanged = await new Editing(client, stored, warn).run(context.environment);
  if (!isChanged) return { output: [line('Edit cancelled, no changes made')] };
  return { output: [line(`${doneLead(flag(call, 'dryRun'))} edited 1 '${key.kind}' resource`)] };
}
