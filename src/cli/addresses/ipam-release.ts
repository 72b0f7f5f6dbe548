import { CalicoError, ConflictError, formatError, NotFoundError } from '../../base/errors.js';
import { VERSION } from '../../base/version.js';
import { isLocked, readCluster } from '../../client/readiness.js';
import type { Datastore, Stored } from '../../datastore/datastore.js';
import { Ipam, type ReleaseRequest } from '../../ipam/ipam.js';
import { tryParseAddress } from '../../net/address.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { type CheckReport, leaksInAll, parseReport, type ReportedLeak } from './ipam-check-report.js';
import { doneLead, INTERRUPTED } from '../messages.js';
import { Progress } from '../progress.js';
import { line, type Result } from '../result.js';
import { whyUnreadable } from '../unreadable.js';

/** Addresses released by one call, and calls at a time: what arrives together is committed together. */
const CHUNK = 16;
const AT_ONCE = 4;

function bad(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', message);
}

function refused(message: string, hint: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_REPORT', message, { hint });
}

async function releaseOne(ipam: Ipam, address: string, isDryRun: boolean): Promise<Result> {
  if (tryParseAddress(address) === undefined) throw bad(`"${address}" is not an IP address`);
  const { released } = await ipam.releaseIps([{ address }]);
  if (released.length === 0) return { errors: [`IP address ${address} is not assigned`] };
  return { output: [line(`${doneLead(isDryRun)} released IP address ${address}`)] };
}

async function readReports(files: readonly string[], context: Context): Promise<readonly CheckReport[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return parseReport(await context.readFile(file), file);
      } catch (cause) {
        if (cause instanceof CalicoError) throw cause;
        throw new CalicoError('ERR_CALI_CLI_FILE', `cannot read "${file}": ${whyUnreadable(cause)}`, { cause });
      }
    }),
  );
}

/** What speaks against a report, apart from being of another cluster; undefined: nothing. */
function doubtOf(report: CheckReport, cluster: Stored<'ClusterInformation'> | undefined): CalicoError | undefined {
  if (report.version !== VERSION) {
    return refused(
      `the report was made by version ${report.version}, this is ${VERSION}`,
      'make a new report, or give --force',
    );
  }
  if (!isLocked(cluster)) {
    return refused(
      'datastore is not locked',
      'lock it with: calicoctl datastore migrate lock; make a new report; or give --force',
    );
  }
  if (!report.datastoreLocked || report.clusterInformationRevision !== cluster?.revision) {
    return refused(
      'the datastore was not locked all the time since the report was made',
      'make a new report while it is locked, or give --force',
    );
  }
  return undefined;
}

function checkReports(
  reports: readonly CheckReport[],
  cluster: Stored<'ClusterInformation'> | undefined,
  isForced: boolean,
): void {
  const guid = cluster?.value.spec.clusterGUID ?? '';
  for (const report of reports) {
    if (report.clusterGUID !== guid) {
      throw refused(
        `the report is of another cluster: ${report.clusterGUID || '(none)'}, this is ${guid || '(none)'}`,
        'make a report of this cluster: calicoctl ipam check -o FILE',
      );
    }
    const doubt = isForced ? undefined : doubtOf(report, cluster);
    if (doubt !== undefined) throw doubt;
  }
}

function requestOf({ ip, handle, sequenceNumber }: ReportedLeak): ReleaseRequest {
  return {
    address: ip,
    ...(handle === undefined ? {} : { handleId: handle }),
    ...(sequenceNumber === undefined ? {} : { sequence: BigInt(sequenceNumber) }),
  };
}

/** Releases addresses; those that somebody else got since are left alone and named. */
class Releaser {
  readonly #ipam: Ipam;
  readonly #progress: Progress;
  released = 0;
  readonly kept: string[] = [];

  constructor(ipam: Ipam, progress: Progress) {
    this.#ipam = ipam;
    this.#progress = progress;
  }

  /** @returns whether all were tried: not when the signal came */
  async all(leaks: readonly ReportedLeak[], signal: AbortSignal): Promise<boolean> {
    const chunks = Array.from({ length: Math.ceil(leaks.length / CHUNK) }, (_, index) =>
      leaks.slice(index * CHUNK, (index + 1) * CHUNK).map(requestOf),
    );
    for (let from = 0; from < chunks.length; from += AT_ONCE) {
      if (signal.aborted) return false;
      await Promise.all(chunks.slice(from, from + AT_ONCE).map((chunk) => this.#chunk(chunk)));
    }
    return true;
  }

  async #chunk(requests: readonly ReleaseRequest[]): Promise<void> {
    try {
      const { released } = await this.#ipam.releaseIps(requests);
      this.released += released.length;
      this.#progress.step(requests.length);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const [only, ...others] = requests;
      if (only !== undefined && others.length === 0) {
        this.kept.push(formatError(error));
        this.#progress.step();
        return;
      }
      for (const request of requests) await this.#chunk([request]);
    }
  }
}

/** One sign for each handle: `.` deleted or gone, `x` changed since. @returns the number of the latter */
async function releaseHandles(
  datastore: Datastore,
  handles: CheckReport['leakedHandles'],
  context: Context,
): Promise<number> {
  let failed = 0;
  for (const { id, revision } of handles) {
    try {
      await datastore.delete({ kind: 'IPAMHandle', name: id }, { revision });
      context.stdout('.');
    } catch (error) {
      if (error instanceof NotFoundError) {
        context.stdout('.');
        continue;
      }
      if (!(error instanceof ConflictError)) throw error;
      failed += 1;
      context.stdout('x');
    }
  }
  context.stdout('\n');
  return failed;
}

interface Manner {
  readonly isForced: boolean;
  readonly isDryRun: boolean;
}

async function releaseReported(
  files: readonly string[],
  context: Context,
  { isForced, isDryRun }: Manner,
): Promise<Result> {
  const [doing, done] = isDryRun ? ['Trying to release', 'Would have released'] : ['Releasing', 'Released'];
  const reports = await readReports(files, context);
  const { datastore } = await context.connect();
  checkReports(reports, await readCluster(datastore), isForced);
  const { leakedAddresses, leakedHandles } = leaksInAll(reports);
  context.print(
    line(`${doing} ${leakedAddresses.length} IPs that leaked${files.length > 1 ? ' in all reports' : ''}...`),
  );
  const progress = new Progress(context, 'addresses released', leakedAddresses.length);
  const releaser = new Releaser(new Ipam(datastore), progress);
  const isWhole = await releaser.all(leakedAddresses, context.signal).finally(() => progress.end());
  context.print(line(`${done} ${releaser.released} IPs${isDryRun ? '' : ' successfully'}`));
  if (!isWhole) return { errors: [...releaser.kept, INTERRUPTED.text] };
  if (leakedHandles.length > 0) {
    context.print(line(`${doing} ${leakedHandles.length} handles that hold no IPs...`));
    const failed = await releaseHandles(datastore, leakedHandles, context);
    context.print(
      line(`${done} ${leakedHandles.length - failed} handles; ${failed} changed since the report was made`),
    );
  }
  return { output: isDryRun ? [] : [line('You may now unlock the data store.')], errors: releaser.kept };
}

/** ipam release (--ip=IP | --from-report=FILE… [--force]) */
export async function releaseAddresses(call: Call, context: Context): Promise<Result> {
  const ip = textOption(call, 'ip');
  const files = call.options['fromReport'];
  if (call.arguments.length > 0) throw bad('give what to release: an address alone, --ip or --from-report');
  if (ip !== undefined && files === undefined) {
    const { datastore } = await context.connect();
    return releaseOne(new Ipam(datastore), ip, flag(call, 'dryRun'));
  }
  if (ip !== undefined || !Array.isArray(files)) throw bad('give what to release: either --ip or --from-report');
  return releaseReported(files.map(String), context, { isForced: flag(call, 'force'), isDryRun: flag(call, 'dryRun') });
}
