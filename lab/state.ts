import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CalicoError, formatError } from '../src/base/errors.js';
import { end, isAlive } from './processes.js';
import type { ProcessIdentity } from './processes.js';
import type { Topology } from './topology.js';

/** What is written down of a workload, so that a later command finds it. */
export interface WorkloadRecord {
  readonly name: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly hostInterface: string;
  readonly process: ProcessIdentity;
}

/**
 * What is written down of a lab. Everything else lives in its namespaces and is gone when its inits are: nothing on disk, no mount,
 * no interface outside.
 */
export interface LabRecord {
  readonly name: string;
  readonly topology: Topology;
  /** Who holds it; absent for a lab that stays until `lab down`. */
  readonly owner?: ProcessIdentity;
  /** The inits: of the hosts by name, of the underlay as `underlay`. */
  readonly inits: Readonly<Record<string, ProcessIdentity>>;
  readonly workloads: readonly WorkloadRecord[];
}

/** Where labs are written down; all labs of a machine share it. */
export function labsFolder(): string {
  return process.env['CALICO_LAB_DIR'] ?? '/run/calico-lab';
}

export function writeRecord(record: LabRecord): void {
  const folder = join(labsFolder(), record.name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'lab.json');
  writeFileSync(`${file}.new`, JSON.stringify(record));
  renameSync(`${file}.new`, file);
}

/** @returns undefined when there is no such lab, or its record was never finished */
export function readRecord(name: string): LabRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(labsFolder(), name, 'lab.json'), 'utf8')) as LabRecord;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CalicoError('ERR_CALI_LAB_STATE', `cannot read the record of lab "${name}"`, { cause: error });
  }
}

export function listLabs(): string[] {
  try {
    return readdirSync(labsFolder());
  } catch {
    return [];
  }
}

/** Ends what a record names, if it is still that, and forgets it. */
export async function removeLab(name: string): Promise<void> {
  const record = readRecord(name);
  if (record !== undefined) await Promise.all(Object.values(record.inits).map((init) => end(init)));
  rmSync(join(labsFolder(), name), { recursive: true, force: true });
}

/**
 * Removes what killed runs left: labs whose owner is gone, or that have lost all inits. Labs that live are left alone. One that will not
 * go yet is said, and left to the next sweep: it must not keep a new lab from starting.
 */
export async function sweepDeadLabs(): Promise<void> {
  for (const name of listLabs()) {
    const record = readRecord(name);
    if (record === undefined) continue;
    const inits = Object.values(record.inits);
    const orphaned = record.owner !== undefined && !isAlive(record.owner);
    if (orphaned || (inits.length > 0 && !inits.some(isAlive))) {
      await removeLab(name).catch((error: unknown) => {
        process.stderr.write(`lab: the dead lab "${name}" cannot be removed yet: ${formatError(error)}\n`);
      });
    }
  }
}
