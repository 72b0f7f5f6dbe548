import { readFileSync, writeFileSync } from 'node:fs';

/**
 * npm leaves out of `package-lock.json` the optional packages of other platforms when the registry it asks does not have them, and
 * `npm ci` then refuses the file, here and everywhere. This puts them in: name, exact version, the platform that the name says.
 * `--check` only says what is missing.
 */
interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  packages: Record<string, LockedPackage & { optional?: boolean; os?: string[]; cpu?: string[]; libc?: string[] }>;
}

const systems = ['darwin', 'win32', 'freebsd', 'openbsd', 'netbsd', 'android', 'openharmony', 'sunos', 'aix', 'linux'];
const machines: Readonly<Record<string, string>> = {
  aarch64: 'arm64',
  armv7: 'arm',
  riscv64: 'riscv64',
  loong64: 'loong64',
};
const knownMachines = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el'];

function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = words.map((word) => machines[word] ?? word).find((word) => knownMachines.includes(word));
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
    ...(os === undefined ? {} : { os: [os] }),
  };
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
const missing: string[] = [];
for (const { optionalDependencies = {}, dev } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined || !/^\d/.test(version)) continue;
    missing.push(`${name}@${version}`);
    lock.packages[path] = { version, ...platformOf(name), ...(dev === true ? { dev } : {}), optional: true };
  }
}
if (process.argv.includes('--check')) {
  for (const name of missing) console.error(`package-lock.json: ${name} is missing: run scripts/tool complete-lock`);
  process.exitCode = missing.length === 0 ? 0 : 1;
} else if (missing.length > 0) {
  const sorted = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync('package-lock.json', `${JSON.stringify({ ...lock, packages: sorted }, undefined, 2)}\n`);
  console.log(`added ${missing.length} packages of other platforms`);
}
