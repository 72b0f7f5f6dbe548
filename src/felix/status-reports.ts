import { join } from 'node:path';
import type { FelixValues } from '../api/felix-parameters.js';
import {
  type EndpointIdentity,
  endpointIdentity,
  endpointStatusName,
  endpointStatusPrefix,
} from '../api/felix-status-names.js';
import type { ResourceUpdate } from '../api/resource-update.js';
import type { Clock } from '../base/clock.js';
import type { CalicoError } from '../base/errors.js';
import type { Random } from '../base/retry.js';
import type { EndpointStatus } from '../dataplane/dataplane.js';
import type { Datastore } from '../datastore/datastore.js';
import type { EndpointPlan } from '../plan/host-plan.js';
import { HostStatus } from './host-status.js';
import { StatusDelivery } from './status-delivery.js';
import { statusFileName, statusFilePrefix } from './status-file-names.js';
import { DatastoreStatusSink, FolderStatusSink } from './status-sinks.js';

export interface StatusReportsOptions {
  readonly hostname: string;
  readonly datastore: Datastore;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFailure: (error: CalicoError) => void;
}

type ReportParameter =
  | 'reportingInterval'
  | 'reportingTTL'
  | 'endpointReportingEnabled'
  | 'endpointReportingDelay'
  | 'openstackRegion'
  | 'endpointStatusPathPrefix';

/** The parameters that say what is reported and how. */
export type ReportValues = Pick<FelixValues, ReportParameter>;

/** As much of an endpoint's plan as its status file shows. */
type ShownPlan = Pick<EndpointPlan, 'interfaceName' | 'mac' | 'addresses'>;

function fileText({ interfaceName, mac, addresses }: ShownPlan): string {
  return JSON.stringify({
    ifaceName: interfaceName,
    mac: mac ?? '',
    ipv4Nets: addresses.filter((text) => !text.includes(':')),
    ipv6Nets: addresses.filter((text) => text.includes(':')),
    bgpPeerName: '',
  });
}

/** What was said last of an endpoint. */
interface Known {
  readonly plan: ShownPlan;
  readonly status: EndpointStatus | 'error' | undefined;
}

/**
 * What others want to know of this host: that it is alive, and which of its endpoints work. To the datastore, where that is switched
 * on, and to files that those who start workloads wait for. Nothing here holds up the agent.
 */
export class StatusReports {
  readonly #options: StatusReportsOptions;
  readonly #host: HostStatus;
  readonly #toDatastore: StatusDelivery;
  readonly #toFiles: StatusDelivery;
  readonly #identities = new Map<string, EndpointIdentity>();
  #known: ReadonlyMap<string, Known> = new Map();
  #values: ReportValues | undefined;
  /** The kernel was in line once. */
  #isStarted = false;
  /** Statuses of endpoints are in the datastore, or may be. */
  #wasReported = false;

  constructor(options: StatusReportsOptions) {
    this.#options = options;
    const { datastore, hostname } = options;
    this.#host = new HostStatus(options);
    this.#toDatastore = new StatusDelivery({
      ...options,
      sink: () => new DatastoreStatusSink(datastore, endpointStatusPrefix(this.#region, hostname)),
      pauseMs: () => this.#values?.endpointReportingDelay ?? 0,
    });
    this.#toFiles = new StatusDelivery({
      ...options,
      sink: () => new FolderStatusSink(join(this.#folder, 'endpoint-status'), statusFilePrefix(hostname)),
      pauseMs: () => 0,
    });
  }

  get #region(): string {
    return this.#values?.openstackRegion ?? '';
  }

  get #folder(): string {
    return this.#values?.endpointStatusPathPrefix ?? '';
  }

  configure(values: ReportValues): void {
    this.#values = values;
    const { reportingInterval, reportingTTL, openstackRegion } = values;
    this.#host.configure({ intervalMs: reportingInterval, ttlMs: reportingTTL, region: openstackRegion });
    if (this.#known.size > 0) this.#deliver();
  }

  /** Takes in the names of this host's endpoints. */
  apply(updates: readonly ResourceUpdate[]): void {
    for (const update of updates) {
      if (update.kind !== 'WorkloadEndpoint') continue;
      const id = `${update.key.namespace ?? ''}/${update.key.name}`;
      const { value } = update;
      if (value?.spec.node === this.#options.hostname) this.#identities.set(id, endpointIdentity(value));
      else if (this.#identities.size > 0) this.#identities.delete(id);
    }
  }

  /** The kernel is in line: how each endpoint is. Cheap when nothing changed. */
  programmed(status: ReadonlyMap<string, EndpointStatus>, plans: ReadonlyMap<string, ShownPlan>): void {
    this.#host.ready();
    let isSame = this.#isStarted && plans.size === this.#known.size;
    for (const [id, plan] of plans) {
      const known = this.#known.get(id);
      isSame &&= known?.plan === plan && known.status === status.get(id);
    }
    if (isSame) return;
    this.#isStarted = true;
    this.#know(Array.from(plans, ([id, plan]) => [id, { plan, status: status.get(id) }]));
  }

  /** Some endpoints became otherwise between two times. */
  changed(changes: ReadonlyMap<string, EndpointStatus>): void {
    if (!this.#isStarted) return;
    this.#know(Array.from(this.#known, ([id, known]) => [id, { ...known, status: changes.get(id) ?? known.status }]));
  }

  /** The kernel refused: endpoints that it does not know yet are in error. */
  failed(plans: ReadonlyMap<string, ShownPlan>): void {
    if (!this.#isStarted) return;
    this.#know(Array.from(plans, ([id, plan]) => [id, this.#known.get(id) ?? { plan, status: 'error' }]));
  }

  #know(entries: readonly (readonly [string, Known])[]): void {
    this.#known = new Map(entries);
    this.#deliver();
  }

  #deliver(): void {
    const isReported = this.#values?.endpointReportingEnabled === true;
    if (isReported || this.#wasReported) this.#toDatastore.want(isReported ? this.#statuses() : new Map());
    this.#wasReported = isReported;
    if (this.#folder !== '') this.#toFiles.want(this.#files());
  }

  #statuses(): ReadonlyMap<string, string> {
    const statuses = new Map<string, string>();
    for (const [id, { status }] of this.#known) {
      const identity = this.#identities.get(id);
      if (identity === undefined || status === undefined) continue;
      statuses.set(endpointStatusName(this.#region, this.#options.hostname, identity), JSON.stringify({ status }));
    }
    return statuses;
  }

  #files(): ReadonlyMap<string, string> {
    const files = new Map<string, string>();
    for (const [id, { plan, status }] of this.#known) {
      const identity = this.#identities.get(id);
      if (identity === undefined || status !== 'up') continue;
      files.set(statusFileName(this.#options.hostname, identity), fileText(plan));
    }
    return files;
  }

  /** Until the signal aborts. Throws only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#host.run(signal), this.#toDatastore.run(signal), this.#toFiles.run(signal)]);
  }
}
