import type { FelixValues } from '../api/felix-parameters.js';
import type { Conditions } from '../base/conditions.js';
import { type CalicoError, formatError } from '../base/errors.js';
import type { ApplyReport, EndpointStatus, RepairCause } from '../dataplane/dataplane.js';
import type { AgentObserver } from '../felix/agent.js';
import type { BgpPlan } from '../plan/host-plan.js';
import { BAD_PARAMETER, DATASTORE_UNREACHABLE, PARTLY_PROGRAMMED, RULES_REFUSED } from './conditions.js';

/** Hears what the agent tells besides the log. */
export interface NodeStateListener {
  onParameters(values: FelixValues): void;
  onBgpPlan(plan: BgpPlan | undefined): void;
  onProgrammed(tookMs: number): void;
  onProgrammingFailed(): void;
}

/** What is known about the agent from outside, for status and conditions. Passes everything on to the agent's log. */
export class NodeState implements AgentObserver {
  readonly #inner: AgentObserver;
  readonly #conditions: Conditions;
  readonly #listener: NodeStateListener;
  #description = 'the datastore';
  #datastoreStatus = 'waiting';
  #isProgrammed = false;
  #lastError: string | undefined;
  #bgpPlan: BgpPlan | undefined;
  #problems: readonly string[] = [];
  #endpoints = new Map<string, EndpointStatus>();

  constructor(inner: AgentObserver, conditions: Conditions, listener: NodeStateListener) {
    this.#inner = inner;
    this.#conditions = conditions;
    this.#listener = listener;
  }

  /** The datastore, in words. */
  set datastoreDescription(description: string) {
    this.#description = description;
  }

  get datastoreDescription(): string {
    return this.#description;
  }

  get datastoreStatus(): string {
    return this.#datastoreStatus;
  }

  get isProgrammed(): boolean {
    return this.#isProgrammed;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  get bgpPlan(): BgpPlan | undefined {
    return this.#bgpPlan;
  }

  /** How an endpoint of this host is, by `namespace/name`; unknown until the kernel was looked at for it. */
  endpointState(id: string): EndpointStatus | 'unknown' {
    return this.#endpoints.get(id) ?? 'unknown';
  }

  onDatastore(...[status, reason]: Parameters<NonNullable<AgentObserver['onDatastore']>>): void {
    this.#inner.onDatastore?.(status, reason);
    this.#datastoreStatus = status;
    if (status === 'in-sync') this.#conditions.clear(DATASTORE_UNREACHABLE);
    else if (reason !== undefined) this.#conditions.raise(DATASTORE_UNREACHABLE, { reason: reason.message });
  }

  onParameters(values: FelixValues, problems: readonly string[]): void {
    this.#inner.onParameters?.(values, problems);
    for (const problem of this.#problems)
      if (!problems.includes(problem)) this.#conditions.clear(BAD_PARAMETER, problem);
    for (const problem of problems) this.#conditions.raise(BAD_PARAMETER, { problem }, problem);
    this.#problems = problems;
    this.#listener.onParameters(values);
  }

  onProgrammed(report: ApplyReport, tookMs: number): void {
    this.#inner.onProgrammed?.(report, tookMs);
    this.#isProgrammed = true;
    this.#endpoints = new Map(report.endpoints);
    this.#lastError = undefined;
    this.#conditions.clear(RULES_REFUSED);
    if (report.failures.length === 0) this.#conditions.clear(PARTLY_PROGRAMMED);
    this.#listener.onProgrammed(tookMs);
  }

  onProgrammingFailed(error: CalicoError, nextTryMs: number): void {
    this.#inner.onProgrammingFailed?.(error, nextTryMs);
    this.#lastError = formatError(error);
    this.#conditions.raise(RULES_REFUSED, { reason: error.message });
    this.#listener.onProgrammingFailed();
  }

  onBgpPlan(plan: BgpPlan | undefined): void {
    this.#inner.onBgpPlan?.(plan);
    this.#bgpPlan = plan;
    this.#listener.onBgpPlan(plan);
  }

  onEndpointStatus(changed: ReadonlyMap<string, EndpointStatus>): void {
    this.#inner.onEndpointStatus?.(changed);
    for (const [id, status] of changed) this.#endpoints.set(id, status);
  }

  onRepair(kernelWrites: number, cause: RepairCause): void {
    this.#inner.onRepair?.(kernelWrites, cause);
  }

  onFailure(error: CalicoError): void {
    this.#inner.onFailure?.(error);
    this.#conditions.raise(PARTLY_PROGRAMMED, { reason: error.message });
  }
}
