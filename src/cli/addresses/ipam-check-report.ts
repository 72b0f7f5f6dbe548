import { isFields } from '../../api/plain-fields.js';
import { CalicoError } from '../../base/errors.js';
import { VERSION } from '../../base/version.js';
import { isLocked } from '../../client/readiness.js';
import type { Stored } from '../../datastore/datastore.js';
import type { CheckResult, Problem } from '../../ipam/check.js';

/** An address that nobody used, as a report names it. */
export interface ReportedLeak {
  readonly ip: string;
  readonly handle?: string;
  readonly sequenceNumber?: string;
}

/** What `ipam check -o` writes: made by `buildReport`, read by `parseReport`. */
export interface CheckReport {
  readonly version: string;
  readonly clusterGUID: string;
  /** Changes when the datastore is locked or unlocked. */
  readonly clusterInformationRevision: string;
  readonly datastoreLocked: boolean;
  readonly leakedAddresses: readonly ReportedLeak[];
  readonly leakedHandles: readonly { readonly id: string; readonly revision: string }[];
}

/** Everything, for machines and for people who look closer. */
interface WrittenReport extends CheckReport {
  readonly problems: readonly Problem[];
  readonly allocations: readonly object[];
}

/** The report of a check. Sequence numbers are text: they exceed what JSON's numbers hold exactly. */
export function buildReport(result: CheckResult, cluster: Stored<'ClusterInformation'> | undefined): WrittenReport {
  const allocations = result.allocations.map(({ address, block, handleId, attributes, sequence, isLeaked }) => ({
    ip: address,
    block,
    ...(handleId === undefined ? {} : { handle: handleId }),
    ...(sequence === undefined ? {} : { sequenceNumber: String(sequence) }),
    attributes,
    inUseBy: (result.uses.get(address) ?? []).map(({ by }) => by),
    leaked: isLeaked,
  }));
  return {
    version: VERSION,
    clusterGUID: cluster?.value.spec.clusterGUID ?? '',
    clusterInformationRevision: cluster?.revision ?? '',
    datastoreLocked: isLocked(cluster),
    leakedAddresses: allocations
      .filter(({ leaked }) => leaked)
      .map(({ ip, handle, sequenceNumber }) => ({
        ip,
        ...(handle === undefined ? {} : { handle }),
        ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
      })),
    leakedHandles: result.emptyHandles,
    problems: result.problems,
    allocations,
  };
}

function isDigits(value: unknown): boolean {
  return typeof value === 'string' && /^\d+$/.test(value);
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isLeak(value: unknown): value is ReportedLeak {
  return (
    isFields(value) &&
    typeof value['ip'] === 'string' &&
    isTextOrAbsent(value['handle']) &&
    (value['sequenceNumber'] === undefined || isDigits(value['sequenceNumber']))
  );
}

function isHandle(value: unknown): value is CheckReport['leakedHandles'][number] {
  return isFields(value) && typeof value['id'] === 'string' && isDigits(value['revision']);
}

function isReport(value: unknown): value is CheckReport {
  return (
    isFields(value) &&
    ['version', 'clusterGUID', 'clusterInformationRevision'].every((field) => typeof value[field] === 'string') &&
    typeof value['datastoreLocked'] === 'boolean' &&
    Array.isArray(value['leakedAddresses']) &&
    value['leakedAddresses'].every(isLeak) &&
    Array.isArray(value['leakedHandles']) &&
    value['leakedHandles'].every(isHandle)
  );
}

/** @throws {CalicoError} `ERR_CALI_CLI_REPORT` it is no report */
export function parseReport(text: string, file: string): CheckReport {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CalicoError('ERR_CALI_CLI_REPORT', `${file} is not JSON`, { cause });
  }
  if (!isReport(parsed)) {
    throw new CalicoError('ERR_CALI_CLI_REPORT', `${file} is no report of ipam check`, {
      hint: 'make one with: calicoctl ipam check -o FILE',
    });
  }
  return parsed;
}

function sameLeak(a: ReportedLeak): (b: ReportedLeak) => boolean {
  return (b) => a.ip === b.ip && a.handle === b.handle && a.sequenceNumber === b.sequenceNumber;
}

/** What all reports say: an address counts only if the same assignment of it leaked in each. */
export function leaksInAll(reports: readonly CheckReport[]): Pick<CheckReport, 'leakedAddresses' | 'leakedHandles'> {
  const [first, ...others] = reports;
  if (first === undefined) return { leakedAddresses: [], leakedHandles: [] };
  const byAddress = others.map(({ leakedAddresses }) => new Map(leakedAddresses.map((leak) => [leak.ip, leak])));
  const byId = others.map(({ leakedHandles }) => new Map(leakedHandles.map(({ id, revision }) => [id, revision])));
  return {
    leakedAddresses: first.leakedAddresses.filter((leak) =>
      byAddress.every((leaks) => {
        const other = leaks.get(leak.ip);
        return other !== undefined && sameLeak(leak)(other);
      }),
    ),
    leakedHandles: first.leakedHandles.filter(({ id, revision }) => byId.every((ids) => ids.get(id) === revision)),
  };
}
