import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { CalicoError } from '../base/errors.js';
import type { Marks } from './ruleset/marks.js';
import type { DataplaneSettings } from './settings.js';

const run = promisify(execFile);

/** For the lock that all programs of legacy iptables share; everything else of ours waits meanwhile. */
const WAIT = ['-w', '5'] as const;

/** Tables that the legacy iptables of a family holds in this namespace; asking the program itself would create them. */
const LEGACY = [
  { program: 'iptables-legacy', names: '/proc/net/ip_tables_names' },
  { program: 'ip6tables-legacy', names: '/proc/net/ip6_tables_names' },
] as const;

function isInUse(names: string): boolean {
  return existsSync(names) && readFileSync(names, 'utf8').split('\n').includes('filter');
}

/** Which families' legacy iptables are in use, as a text to compare. Nobody is notified of a change: this costs two small files. */
export function legacyIptablesInUse(): string {
  return LEGACY.filter(({ names }) => isInUse(names))
    .map(({ program }) => program)
    .join();
}

type Arguments = readonly string[];

function wantedRules(settings: DataplaneSettings, marks: Marks): readonly Arguments[] {
  const mark = `0x${marks.accept.toString(16)}/0x${marks.accept.toString(16)}`;
  const passed = ['-m', 'mark', '--mark', mark];
  const toHost = settings.interfacePrefixes.flatMap((prefix): Arguments[] => {
    const accepted = ['INPUT', '-i', `${prefix}+`, ...passed, '-j', 'ACCEPT'];
    // The drop names the mark too, so that the order of the two does not matter.
    const dropped = ['INPUT', '-i', `${prefix}+`, '-m', 'mark', '!', '--mark', mark, '-j', 'DROP'];
    return settings.endpointToHostAction === 'drop' ? [accepted, dropped] : [accepted];
  });
  const unpassed = ['-m', 'mark', '!', '--mark', mark];
  const unjudged = settings.interfacePrefixes.flatMap((prefix): Arguments[] => [
    ['FORWARD', '-i', `${prefix}+`, ...unpassed, '-j', 'DROP'],
    ['FORWARD', '-o', `${prefix}+`, ...unpassed, '-j', 'DROP'],
  ]);
  return [['FORWARD', ...passed, '-j', 'ACCEPT'], ...unjudged, ...toHost];
}

/**
 * The rules of `foreign-tables.ts` for hosts on which somebody uses the legacy iptables, whose tables only its own program can change.
 * Does nothing where it is not in use. Each rule goes to the head of its chain unless it is there.
 *
 * @returns the rules inserted
 * @throws {CalicoError} `ERR_CALI_DATAPLANE_IPTABLES_LEGACY` when the program is missing or refuses
 */
export async function syncLegacyIptables(settings: DataplaneSettings, marks: Marks): Promise<number> {
  let writes = 0;
  for (const { program, names } of LEGACY) {
    if (!isInUse(names)) continue;
    for (const rule of wantedRules(settings, marks)) {
      if (await isThere(program, rule)) continue;
      await insert(program, rule);
      writes += 1;
    }
  }
  return writes;
}

async function isThere(program: string, rule: Arguments): Promise<boolean> {
  try {
    await run(program, [...WAIT, '-t', 'filter', '-C', ...rule]);
    return true;
  } catch (error) {
    // Exit status 1: no such rule. Anything else shows again when the rule is inserted.
    if (error instanceof Error) return false;
    throw error;
  }
}

async function insert(program: string, rule: Arguments): Promise<void> {
  try {
    await run(program, [...WAIT, '-t', 'filter', '-I', ...rule]);
  } catch (cause) {
    throw new CalicoError(
      'ERR_CALI_DATAPLANE_IPTABLES_LEGACY',
      `cannot insert a rule with ${program}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, hint: `install ${program}, or move the host to iptables-nft` },
    );
  }
}
