import { readFile } from 'node:fs/promises';

/** By number. @see include/uapi/linux/capability.h */
const NAMES = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST',
  'NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE',
  'SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM',
  'BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
].flatMap((line) => line.split(' '));

/** Capabilities that not even root has, from the text of `/proc/self/status` and the number of the kernel's last one. */
export function missingCapabilities(status: string, last: number): readonly string[] {
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? 'f'.repeat(16)}`);
  return NAMES.filter((_, number) => number <= last && ((bounding >> BigInt(number)) & 1n) === 0n);
}

/** The same of this process; none where that cannot be read. */
export async function readMissingCapabilities(): Promise<readonly string[]> {
  try {
    const [status, last] = await Promise.all([
      readFile('/proc/self/status', 'utf8'),
      readFile('/proc/sys/kernel/cap_last_cap', 'utf8'),
    ]);
    return missingCapabilities(status, Number(last));
  } catch {
    // Nothing is known to be missing: the engine will say so if it is.
    return [];
  }
}

/** What stands for `--privileged` on a machine whose root lacks capabilities: an engine that asks for all of them fails there. */
export function privilegesWithout(missing: readonly string[]): readonly string[] {
  const unconfined = ['seccomp', 'apparmor', 'systempaths'].map((part) => `--security-opt=${part}=unconfined`);
  return ['--cap-add=ALL', ...missing.map((name) => `--cap-drop=${name}`), ...unconfined];
}
