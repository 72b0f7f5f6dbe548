import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CalicoError, formatError } from '../../base/errors.js';
import { runProgram } from '../programs.js';
import { withoutSecrets } from '../secrets.js';

/** Of a file that is larger, the end. */
const FILE_LIMIT_BYTES = 20 * 1024 * 1024;
/** How long one command may take. */
export const COMMAND_MS = 30_000;

/** `20260102_030405`, local time. */
export function timestamp(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}_${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** A folder that fills with what helps to understand a problem, and becomes one archive. Nothing is kept with a secret in it. */
export class DiagsFolder {
  /** The temporary folder that the archive will lie in. */
  readonly place: string;
  readonly #content: string;

  private constructor(place: string) {
    this.place = place;
    this.#content = join(place, 'diagnostics');
  }

  private static async create(): Promise<DiagsFolder> {
    const folder = new DiagsFolder(await mkdtemp(join(tmpdir(), 'calico-')));
    await mkdir(folder.#content, { mode: 0o700 });
    return folder;
  }

  /** @param name a path below the folder */
  async write(name: string, text: string): Promise<void> {
    const path = join(this.#content, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, withoutSecrets(text), { mode: 0o600 });
  }

  /**
   * Keeps what a command says, its complaints too; what cannot be run is said in the file.
   *
   * @returns whether it ended well
   */
  async run(name: string, [program, ...words]: readonly [string, ...string[]], signal: AbortSignal): Promise<boolean> {
    try {
      const { status, stdout, stderr } = await runProgram(program, words, { signal, timeoutMs: COMMAND_MS });
      const end = status === 0 ? '' : `\n(exit status ${status})\n`;
      await this.write(name, `$ ${[program, ...words].join(' ')}\n${stdout}${stderr}${end}`);
      return status === 0;
    } catch (error) {
      if (signal.aborted || !(error instanceof CalicoError)) throw error;
      await this.write(name, `${formatError(error)}\n`);
      return false;
    }
  }

  /** Keeps a file, or the end of one that is large. @returns false when it cannot be read */
  async copyFile(name: string, path: string): Promise<boolean> {
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const position = Math.max(0, size - FILE_LIMIT_BYTES);
        const buffer = Buffer.alloc(Math.min(size, FILE_LIMIT_BYTES));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        await this.write(name, buffer.subarray(0, bytesRead).toString('utf8'));
      } finally {
        await file.close();
      }
      return true;
    } catch {
      // Not every host has every file, and some are gone by the time they are read.
      return false;
    }
  }

  /** Keeps the files of a folder, and of those below it. @returns how many; undefined when there is no such folder */
  async copyFolder(name: string, path: string): Promise<number | undefined> {
    try {
      const entries = await readdir(path, { withFileTypes: true, recursive: true });
      const files = entries.filter((entry) => entry.isFile());
      for (const entry of files) {
        const inner = join(entry.parentPath, entry.name);
        await this.copyFile(join(name, inner.slice(path.length)), inner);
      }
      return files.length;
    } catch {
      // The caller says so.
      return undefined;
    }
  }

  /** Has it filled; where that is broken off, nothing of it stays on the disk. */
  static async filled(fill: (folder: DiagsFolder) => Promise<void>): Promise<DiagsFolder> {
    const folder = await DiagsFolder.create();
    try {
      await fill(folder);
    } catch (error) {
      await rm(folder.place, { recursive: true, force: true });
      throw error;
    }
    return folder;
  }

  /**
   * Packs everything into one file beside the folder, which only its owner may read, and removes the folder unless told otherwise.
   *
   * @throws {CalicoError} `ERR_CALI_CLI_DIAGS`
   */
  async pack(name: string, keepsFolder = false): Promise<string> {
    const archive = join(this.place, `${name}.tar.gz`);
    await writeFile(archive, '', { mode: 0o600 });
    const words = ['-C', this.place, '--transform', `s,^diagnostics,${name},`, '-czf', archive, 'diagnostics'];
    const { status, stderr } = await runProgram('tar', words);
    if (status !== 0) {
      throw new CalicoError('ERR_CALI_CLI_DIAGS', `cannot pack ${this.#content}: ${stderr.trim()}`, {
        hint: 'the folder is left as it is: pack it yourself',
      });
    }
    if (!keepsFolder) await rm(this.#content, { recursive: true });
    return archive;
  }
}
