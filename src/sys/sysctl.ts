import fs from 'node:fs';
import { fileError } from './fd.js';

/** `net/ipv4/conf/cali1/proxy_arp` → its file. Slashes, not dots: interface names may hold dots. */
function sysctlPath(name: string): string {
  if (name.startsWith('/') || name.split('/').some((part) => part === '' || part === '..' || part === '.')) {
    throw new RangeError(`"${name}" is not a sysctl name`);
  }
  return `/proc/sys/${name}`;
}

/**
 * The value without its newline. For `net/…` it is the namespace of the calling thread that counts: wrap in `namespace.run`.
 * @throws {KernelError} ENOENT when the kernel or the interface does not have it
 */
export function readSysctl(name: string): string {
  const path = sysctlPath(name);
  try {
    return fs.readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw fileError(`read ${path}`, error);
  }
}

/** Writes only when the value differs, so that read-only /proc with the right value is no failure. @throws {KernelError} */
export function writeSysctl(name: string, value: string | number): void {
  const path = sysctlPath(name);
  const text = String(value);
  try {
    if (fs.readFileSync(path, 'utf8').trimEnd() === text) return;
    fs.writeFileSync(path, text);
  } catch (error) {
    throw fileError(`write ${text} to ${path}`, error);
  }
}
