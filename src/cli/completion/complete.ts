import type { PublicKind } from '../../api/registry.js';
import type { Datastore } from '../../datastore/datastore.js';
import { type Call, CONFIG_OPTION, type Context, GLOBAL_OPTIONS } from '../command.js';
import { COMMANDS, GROUPS } from '../command-list.js';
import { type Candidate, completeWords, FILES, type LiveNames } from './complete-words.js';
import { type Block, line, type Result } from '../result.js';

/** A person waits with a finger on the key. */
const TIME_LIMIT_MS = 1000;

/** Whose namespaces stand for all there are. */
const NAMESPACED = ['NetworkPolicy', 'NetworkSet', 'WorkloadEndpoint'] as const;

/** What `-c` says on the line that is being typed. */
function configFile(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word === '-c' || word === '--config');
  if (at >= 0) return words[at + 1];
  return words.find((word) => word.startsWith('--config='))?.slice('--config='.length);
}

/** The datastore that the line means, opened when it is first asked. */
class LineDatastore implements AsyncDisposable {
  readonly #context: Context;
  readonly #file: string | undefined;
  #own: Promise<Datastore> | undefined;

  constructor(words: readonly string[], context: Context) {
    this.#context = context;
    this.#file = configFile(words);
  }

  async get(): Promise<Datastore> {
    if (this.#file === undefined) return (await this.#context.connectUnchecked()).datastore;
    this.#own ??= this.#open(this.#file);
    return this.#own;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be opened has said so to whoever asked it.
    const opened = await this.#own?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }

  async #open(file: string): Promise<Datastore> {
    const { readSettings } = await import('../config.js');
    const { openDatastore } = await import('../connection.js');
    return openDatastore((await readSettings(file, this.#context)).settings);
  }
}

/** Names from the datastore; none when it cannot say in time. */
function liveNames(store: LineDatastore): LiveNames {
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  const inTime = async <T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    const late = new Promise<readonly T[]>((resolve) => {
      signal.addEventListener('abort', () => resolve([]), { once: true });
    });
    // Whatever goes wrong: there is no place on a line that is being typed to say so.
    return Promise.race([ask().catch(() => []), late]);
  };
  const keysOf = async (kind: PublicKind, namespace?: string) => {
    const datastore = await store.get();
    const options = namespace === undefined ? { signal } : { signal, namespace };
    const { entries } = await datastore.listRevisions(kind, options);
    return entries.map(({ key }) => key);
  };
  return {
    names: (kind, namespace) => inTime(async () => (await keysOf(kind, namespace)).map(({ name }) => name)),
    namespaces: () =>
      inTime(async () => {
        const keys = await Promise.all(NAMESPACED.map((kind) => keysOf(kind)));
        const found = keys.flat().map(({ namespace }) => namespace ?? 'default');
        return [...new Set(['default', ...found])].toSorted();
      }),
  };
}

/** What kubectl runs to complete `kubectl calico`. */
const KUBECTL_COMPLETION = 'kubectl_complete-calico';

/** Bits of the number behind a colon that ends what kubectl reads, as Cobra's shell completions define it. */
const NO_SPACE = 2;
const NO_FILES = 4;

/** As kubectl reads candidates: of `--output=ya` only what follows the sign, and at last what its shell is to do. */
function forKubectl(found: readonly Candidate[], current: string): readonly Block[] {
  const [lead = ''] = /^-[^=]*=/.exec(current) ?? [];
  const shown = found.filter((each) => each !== FILES);
  const goesOn = shown.length > 0 && shown.every(({ value }) => value.endsWith('='));
  const directive = (found.includes(FILES) ? 0 : NO_FILES) + (goesOn ? NO_SPACE : 0);
  return [...shown.map(({ value, help }) => candidateLine(value.slice(lead.length), help)), line(`:${directive}`)];
}

function candidateLine(value: string, help: string | undefined): Block {
  return line(help === undefined ? value : `${value}\t${help}`);
}

/** __complete -- WORD… CURRENT: a candidate a line, with what it means behind a tab. */
export async function complete(call: Call, context: Context): Promise<Result> {
  const vocabulary = { commands: COMMANDS, groups: GROUPS, globalOptions: [...GLOBAL_OPTIONS, CONFIG_OPTION] };
  await using store = new LineDatastore(call.arguments, context);
  const found = await completeWords(call.arguments, vocabulary, liveNames(store));
  if (context.program === KUBECTL_COMPLETION) return { output: forKubectl(found, call.arguments.at(-1) ?? '') };
  return { output: found.map(({ value, help }) => candidateLine(value, help)) };
}
