import type { FelixValues } from '../api/felix-parameters.js';
import type { CalicoError } from '../base/errors.js';
import type { Log, LogLevel } from '../base/log.js';
import type { RepairCause } from '../dataplane/dataplane.js';
import type { AgentObserver } from './agent.js';
import type { Health } from './health.js';

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  '': 'silent',
};

/** Turns what the agent tells into log lines and health reports. A message is logged when it is new, not each time it is said. */
export class AgentLog implements AgentObserver {
  readonly #log: Log;
  readonly #health: Health;
  #lastReason = '';
  #lastProblems = '';
  #isProgrammed = false;

  constructor(log: Log, health: Health) {
    this.#log = log.part('felix');
    this.#health = health;
    health.report('CalculationGraph', { isReady: false, detail: 'datastore not read yet' });
    health.report('InternalDataplaneMainLoop', { isReady: false, detail: 'kernel not programmed yet' });
  }

  onDatastore(status: string, reason: CalicoError | undefined): void {
    if (status === 'in-sync') this.#health.report('CalculationGraph', { isReady: true, detail: '' });
    const said = reason?.message ?? status;
    if (said === this.#lastReason) return;
    this.#lastReason = said;
    if (reason === undefined) this.#log.info(`datastore: ${status}`);
    else this.#log.warn(said);
  }

  onParameters(values: FelixValues, problems: readonly string[]): void {
    this.#log.setLevel(LEVELS[values.logSeverityScreen] ?? 'info');
    const said = problems.join('\n');
    if (said === this.#lastProblems) return;
    this.#lastProblems = said;
    for (const problem of problems) this.#log.warn(problem);
  }

  onProgrammed({ kernelWrites }: { readonly kernelWrites: number }, tookMs: number): void {
    const facts = { kernelWrites, tookMs: Number(tookMs.toFixed(1)) };
    if (this.#isProgrammed) this.#log.debug('kernel brought in line', facts);
    else this.#log.info('kernel in line with the datastore for the first time', facts);
    this.#isProgrammed = true;
    this.#health.report('InternalDataplaneMainLoop', { isReady: true, detail: '' });
  }

  onProgrammingFailed(error: CalicoError, nextTryMs: number): void {
    this.#health.report('InternalDataplaneMainLoop', { isReady: false, detail: error.message });
    this.#log.error('the kernel did not take the rules, the old ones stay', {
      error,
      nextTryMs: Math.round(nextTryMs),
    });
  }

  onRepair(kernelWrites: number, cause: RepairCause): void {
    if (cause === 'link') this.#log.debug('an interface came: its routes and settings are in place', { kernelWrites });
    else this.#log.warn('somebody changed what is ours in the kernel: repaired', { kernelWrites });
  }

  onFailure(error: CalicoError): void {
    this.#log.warn('not done yet, will be tried again', { error });
  }
}
