import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';

export interface HostProcess {
  readonly pid: number;
  /** Its command line. */
  readonly words: readonly string[];
}

/** Every process of this host (of this pid namespace) with a command line. */
export async function listProcesses(proc = '/proc'): Promise<readonly HostProcess[]> {
  const names = await readdir(proc);
  const processes = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        try {
          const text = await readFile(`${proc}/${name}/cmdline`, 'utf8');
          return { pid: Number(name), words: text.split('\0').filter((word) => word !== '') };
        } catch {
          // It ended since it was listed.
          return { pid: Number(name), words: [] };
        }
      }),
  );
  return processes.filter(({ words }) => words.length > 0);
}

/** Whether a process runs a program of that name, itself or as the script of an interpreter. */
function runs({ words }: HostProcess, program: string): boolean {
  return words.slice(0, 2).some((word) => basename(word) === program);
}

/** The process that enforces policy on this host: `calico-felix` or `calico-node`. */
export function findAgent(processes: readonly HostProcess[]): HostProcess | undefined {
  return processes.find((candidate) => runs(candidate, 'calico-felix') || runs(candidate, 'calico-node'));
}
