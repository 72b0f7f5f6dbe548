import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';

/** How long a file's last descriptors and timers may take to go: closing is asynchronous. */
const graceMs = 1_000;

/** What is open: descriptors by what they point at, timers by number. Event loops' own (`anon_inode`, pipes between threads) left out. */
function open(): Map<string, number> {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  for (const fd of readdirSync('/proc/self/fd')) {
    let target: string;
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      continue; // The descriptor of the listing itself.
    }
    if (target.startsWith('socket:')) count('socket');
    else if (target.startsWith('/') && !target.startsWith('/proc/') && !target.startsWith('/dev/')) count(target);
    else if (/^(net|mnt):/.test(target) || target.includes('/ns/')) count('namespace');
  }
  for (const resource of process.getActiveResourcesInfo()) if (resource === 'Timeout') count('timer');
  return seen;
}

function grown(before: ReadonlyMap<string, number>): string[] {
  return [...open()]
    .filter(([what, number]) => number > (before.get(what) ?? 0))
    .map(([what, number]) => `${what}: ${before.get(what) ?? 0} before, ${number} after`);
}

let before: ReadonlyMap<string, number> = new Map();

beforeAll(() => {
  before = open();
});

afterAll(async () => {
  const deadline = Date.now() + graceMs;
  let left = grown(before);
  while (left.length > 0 && Date.now() < deadline) {
    await wait(20);
    left = grown(before);
  }
  if (left.length > 0) throw new Error(`the file left open: ${left.join('; ')}`);
});
