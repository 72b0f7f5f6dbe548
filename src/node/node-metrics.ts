import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Conditions } from '../base/conditions.js';
import { CalicoError } from '../base/errors.js';
import { Metrics } from '../base/metrics.js';
import { serveProbes } from '../felix/probe-server.js';
import type { NodeState } from './node-state.js';

/** What other tools' dashboards know: 1 waiting, 2 resyncing, 3 in sync. */
const RESYNC_STATES: Readonly<Record<string, number>> = { waiting: 1, listing: 2, resyncing: 2, 'in-sync': 3 };

/** The figures of this host's agent, served to Prometheus under the names that existing dashboards ask for. */
export class NodeMetrics {
  readonly #metrics = new Metrics();
  readonly #applyTime: { observe(seconds: number): void };
  readonly #failures: { inc(): void };

  constructor(state: NodeState, conditions: Conditions) {
    const metrics = this.#metrics;
    this.#applyTime = metrics.summary('felix_int_dataplane_apply_time_seconds', 'Time to bring the kernel in line.');
    this.#failures = metrics.counter('felix_int_dataplane_failures', 'Times the kernel refused the newest rules.');
    metrics.gauge('felix_resync_state', 'Datastore: 1 waiting, 2 resyncing, 3 in sync.', () => {
      return RESYNC_STATES[state.datastoreStatus] ?? 0;
    });
    metrics.gauges('calico_node_conditions', 'What ails this host, 1 for each condition shown.', {
      label: 'code',
      read: () => new Map(conditions.shown().map(({ code }) => [code, 1])),
    });
  }

  programmed(tookMs: number): void {
    this.#applyTime.observe(tookMs / 1_000);
  }

  failed(): void {
    this.#failures.inc();
  }

  /** Serves `/metrics` until the signal aborts. @throws {CalicoError} `ERR_CALI_NODE_METRICS` the address is taken or not ours */
  async serve({ host, port }: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<void> {
    const refused = (cause: Error): CalicoError => {
      const message = `cannot serve metrics on http://${host}:${port}/metrics: ${cause.message}`;
      return new CalicoError('ERR_CALI_NODE_METRICS', message, { hint: 'set FELIX_PROMETHEUSMETRICSPORT', cause });
    };
    const answer = ({ url }: IncomingMessage, response: ServerResponse): void => {
      this.#answer(url, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    };
    await serveProbes({ host, port, answer, refused }, signal);
  }

  async #answer(url: string | undefined, response: ServerResponse): Promise<void> {
    if (url !== '/metrics') {
      response.writeHead(404).end('ask for /metrics\n');
      return;
    }
    const text = await this.#metrics.render();
    response.writeHead(200, { 'content-type': this.#metrics.contentType }).end(text);
  }
}
