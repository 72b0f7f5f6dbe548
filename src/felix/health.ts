import type { ServerResponse } from 'node:http';
import { CalicoError } from '../base/errors.js';
import { serveProbes } from './probe-server.js';

interface Report {
  readonly isLive: boolean;
  readonly isReady: boolean;
  /** Why not, in a few words. */
  readonly detail: string;
}

/**
 * The health of the agent's parts, as probes ask for it: `/liveness` and `/readiness` answer 200 when every part is, else 503, both
 * with a table of the parts (204 when there is none).
 */
export class Health {
  readonly #reports = new Map<string, Report>();

  /** Says how a part is now; the last word counts. */
  report(part: string, report: Partial<Report>): void {
    const before = this.#reports.get(part) ?? { isLive: true, isReady: false, detail: '' };
    this.#reports.set(part, { ...before, ...report });
  }

  get isReady(): boolean {
    return [...this.#reports.values()].every(({ isReady }) => isReady);
  }

  get isLive(): boolean {
    return [...this.#reports.values()].every(({ isLive }) => isLive);
  }

  /** One line for each part. */
  table(): string {
    const rows = [...this.#reports].map(([part, { isLive, isReady, detail }]) => [
      part,
      isLive ? 'live' : 'not live',
      isReady ? 'ready' : 'not ready',
      detail,
    ]);
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    return rows
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }

  /**
   * Serves the two probes until the signal aborts; resolves when it listens.
   *
   * @throws {CalicoError} `ERR_CALI_FELIX_HEALTH` the address is taken or not ours
   */
  async serve({ host, port }: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<void> {
    await serveProbes(
      {
        host,
        port,
        answer: ({ url = '/' }, response) => this.#answer(url, response),
        refused: (cause) =>
          new CalicoError('ERR_CALI_FELIX_HEALTH', `cannot serve health on http://${host}:${port}: ${cause.message}`, {
            hint: 'set FELIX_HEALTHPORT to a free port, or FELIX_HEALTHENABLED=false',
            cause,
          }),
      },
      signal,
    );
  }

  #answer(url: string, response: ServerResponse): void {
    const isHealthy = url === '/liveness' ? this.isLive : url === '/readiness' ? this.isReady : undefined;
    if (isHealthy === undefined) {
      response.writeHead(404).end('ask for /liveness or /readiness\n');
    } else if (this.#reports.size === 0) {
      response.writeHead(204).end();
    } else {
      response.writeHead(isHealthy ? 200 : 503, { 'content-type': 'text/plain' }).end(`${this.table()}\n`);
    }
  }
}
