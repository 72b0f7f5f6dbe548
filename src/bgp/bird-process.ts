import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, sleep, systemClock, type Timer } from '../base/clock.js';
import { CalicoError, UnavailableError } from '../base/errors.js';
import { backoffDelayMs, type Random } from '../base/retry.js';
import { BirdControl } from './bird-control.js';

export interface BirdProcessOptions {
  /** Default `/etc/calico/confd/config/bird.cfg`. */
  readonly configFile?: string;
  /** Default `/run/calico/bird.ctl`. */
  readonly socket?: string;
  /** Default `/run/calico/bird.pid`. */
  readonly pidFile?: string;
  /** What the configuration names as its log: its folder must be there before BIRD starts. Default `/var/log/calico/bird.log`. */
  readonly logFile?: string;
  /** Program and first arguments; default `bird`. */
  readonly command?: readonly string[];
  /** Hears of every change of {@link BirdProcess.problem}. */
  readonly onProblem?: (problem: CalicoError | undefined) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

const DEFAULTS = {
  configFile: '/etc/calico/confd/config/bird.cfg',
  socket: '/run/calico/bird.ctl',
  pidFile: '/run/calico/bird.pid',
  logFile: '/var/log/calico/bird.log',
  command: ['bird'],
  clock: systemClock,
  random: Math.random,
  onProblem: (): void => undefined,
};

const BACKOFF = { initialMs: 500, maxMs: 30_000 };
/** One that lived so long died of something new. */
const STEADY_MS = 60_000;
const RUN_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** Where BIRD's own programs are, also when nobody set a PATH that has them. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface Ended {
  readonly status: number | undefined;
  readonly said: string;
}

/**
 * Keeps BIRD running with the configuration that was last given, and lets it live when we end: its routes are how packets of this host's
 * workloads find their way. One that runs is adopted through its control socket, never restarted. One that dies is started again, and takes
 * up the routes that its predecessor left in the kernel.
 */
export class BirdProcess {
  readonly #options: Required<BirdProcessOptions>;
  #wanted: string | undefined;
  /** The text that BIRD refused, and why: asking again would not help. */
  #refusal: { readonly config: string; readonly error: CalicoError } | undefined;
  #control: BirdControl | undefined;
  /** The BIRD that runs has not taken over what stands in the file. */
  #isUntold = false;
  #problem: CalicoError | undefined;
  #work: Promise<void> = Promise.resolve();
  #retry: Timer | undefined;
  #attempt = 0;
  #connectedMs = 0;
  #isClosed = false;

  constructor(options: BirdProcessOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * What keeps BIRD from doing what was asked, undefined when all is well: `ERR_CALI_BIRD_MISSING`, `ERR_CALI_BIRD_START`,
   * `ERR_CALI_BIRD_UNAVAILABLE` (tried again by itself) or `ERR_CALI_BIRD_REFUSED` (the old configuration stays until another comes).
   */
  get problem(): CalicoError | undefined {
    return this.#problem;
  }

  /** The connection to the BIRD that runs: for its status, protocols and routes. */
  get control(): BirdControl | undefined {
    return this.#control;
  }

  /**
   * Checks the configuration, writes it when it differs from what is there, starts or adopts BIRD, tells it. Never throws: see
   * {@link problem}. Resolves when all of that was done or failed once; of several texts that wait their turn only the last counts.
   */
  apply(config: string): Promise<void> {
    this.#wanted = config;
    return this.#enqueue(() => this.#reconcile());
  }

  /** Lets go of BIRD, which lives on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.#work;
    const control = this.#control;
    this.#control = undefined;
    await control?.close();
  }

  /** Ends BIRD, whoever started it. What it put into the kernel stays there. Then it may be given a configuration again. */
  stop(): Promise<void> {
    this.#wanted = undefined;
    this.#retry?.cancel();
    return this.#enqueue(() => this.#stop());
  }

  /** One thing at a time, in order. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#work.then(task);
    // Who waits for this task hears of its failure; the next one goes on regardless.
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #reconcile(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined || this.#isClosed) return;
    this.#retry?.cancel();
    this.#retry = undefined;
    try {
      if (await this.#write(wanted)) this.#isUntold = true;
      // One that is started now reads the file by itself; one that is adopted may have read an older one.
      if (this.#control === undefined) this.#isUntold = await this.#connect();
      if (this.#isUntold) await this.#control?.configure(this.#options.configFile);
      this.#isUntold = false;
      this.#report(this.#refusal?.error);
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      this.#report(error);
      if (error.code !== 'ERR_CALI_BIRD_REFUSED') this.#retryLater();
    }
  }

  /**
   * Writes the configuration if BIRD accepts it; one that it refuses leaves the old in place.
   *
   * @returns true when the file changed
   * @throws {CalicoError} refused, and there is no older one to go on with
   */
  async #write(wanted: string): Promise<boolean> {
    const { configFile, command } = this.#options;
    const old = await readIfThere(configFile);
    if (old === wanted) {
      this.#refusal = undefined;
      return false;
    }
    if (this.#refusal?.config === wanted && old !== undefined) return false;
    const staged = `${configFile}.staged`;
    await wrap(`cannot write "${staged}"`, async () => {
      await mkdir(dirname(configFile), { recursive: true });
      await writeFile(staged, wanted, { mode: 0o600 });
    });
    const { status, said } = await run([...command, '-p', '-c', staged]);
    if (status === 0) {
      await wrap(`cannot write "${configFile}"`, () => rename(staged, configFile));
      this.#refusal = undefined;
      return true;
    }
    const error = new CalicoError('ERR_CALI_BIRD_REFUSED', `BIRD refuses its configuration: ${said}`, {
      hint: `see "${staged}"; the last good one stays in force`,
    });
    if (old === undefined) throw error;
    this.#refusal = { config: wanted, error };
    return false;
  }

  /** @returns true when a BIRD ran already, false when it was started */
  async #connect(): Promise<boolean> {
    const isFound = await this.#open();
    if (isFound) return true;
    await this.#start();
    return false;
  }

  /** @returns false when nobody listens */
  async #open(): Promise<boolean> {
    const { socket, clock } = this.#options;
    try {
      const control = await BirdControl.open(socket, { clock });
      this.#control = control;
      this.#connectedMs = clock.monotonicMs();
      void control.closed.then(() => this.#lost(control));
      return true;
    } catch (error) {
      if (error instanceof UnavailableError && isNobodyThere(error.cause)) return false;
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { command, configFile, socket, pidFile, logFile, clock } = this.#options;
    await wrap('cannot make the folders of BIRD', async () => {
      for (const file of [socket, pidFile, logFile]) await mkdir(dirname(file), { recursive: true });
    });
    // BIRD removes its pid file when it ends of its own will. Where it did not, its routes are still in the kernel: keep them until the
    // peers have said theirs. A first start has nothing to wait for.
    const recovery = existsSync(pidFile) ? ['-R'] : [];
    const { status, said } = await run([...command, '-c', configFile, '-s', socket, '-P', pidFile, ...recovery]);
    if (status !== 0) throw startError(said);
    const deadlineMs = clock.monotonicMs() + START_TIMEOUT_MS;
    while (!(await this.#open())) {
      if (clock.monotonicMs() > deadlineMs) throw startError(`it does not answer at "${socket}"`, `read ${logFile}`);
      await sleep(clock, POLL_MS);
    }
  }

  #lost(control: BirdControl): void {
    if (this.#control !== control) return;
    this.#control = undefined;
    if (this.#isClosed || this.#wanted === undefined) return;
    if (this.#options.clock.monotonicMs() - this.#connectedMs > STEADY_MS) this.#attempt = 0;
    this.#report(new UnavailableError('ERR_CALI_BIRD_UNAVAILABLE', 'BIRD has ended; it is started again'));
    this.#retryLater();
  }

  #retryLater(): void {
    const { clock, random } = this.#options;
    if (this.#isClosed || this.#retry !== undefined) return;
    const delayMs = backoffDelayMs(this.#attempt, BACKOFF, random);
    this.#attempt += 1;
    this.#retry = clock.setTimer(delayMs, () => {
      void this.#enqueue(() => this.#reconcile());
    });
  }

  async #stop(): Promise<void> {
    const { socket, clock } = this.#options;
    const control = this.#control ?? (await this.#findToStop());
    this.#control = undefined;
    if (control === undefined) return;
    await control.shutDown();
    await control.close();
    const deadlineMs = clock.monotonicMs() + STOP_TIMEOUT_MS;
    while (existsSync(socket)) {
      if (clock.monotonicMs() > deadlineMs) {
        throw new UnavailableError('ERR_CALI_BIRD_UNAVAILABLE', 'BIRD was told to end and goes on');
      }
      await sleep(clock, POLL_MS);
    }
    this.#report(undefined);
  }

  async #findToStop(): Promise<BirdControl | undefined> {
    await this.#open();
    const control = this.#control;
    // Killed ones leave their files behind.
    if (control === undefined) await rm(this.#options.socket, { force: true });
    return control;
  }

  #report(problem: CalicoError | undefined): void {
    if (problem?.message === this.#problem?.message) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }
}

function startError(why: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_BIRD_START', `cannot start BIRD: ${why}`, hint === undefined ? {} : { hint });
}

/** Runs a program to its end: BIRD goes into the background by itself, into a session of its own. */
function run([program = '', ...args]: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Checking and going into the background take milliseconds.
      timeout: RUN_TIMEOUT_MS,
      env: { PATH: `${process.env['PATH'] ?? ''}:${SEARCH_PATH}` },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        said += data.toString();
      });
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'ENOENT';
      const code = isMissing ? 'ERR_CALI_BIRD_MISSING' : 'ERR_CALI_BIRD_START';
      const message = isMissing
        ? 'BIRD is not installed: this host tells nobody its routes'
        : `cannot run "${program}"`;
      reject(new CalicoError(code, message, { hint: 'install bird2', cause: error }));
    });
    child.once('close', (status) => resolve({ status: status ?? undefined, said: lastLine(said) }));
  });
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

async function wrap<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CalicoError('ERR_CALI_BIRD_START', `${what}: ${why}`, { cause: error });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new CalicoError('ERR_CALI_BIRD_START', `cannot read "${file}"`, { cause: error });
  }
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function isNobodyThere(cause: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(String(errnoOf(cause)));
}
