import { execFileSync } from 'node:child_process';

/** System tests start programs of `dist/`: they are built anew when a source is newer. */
export function setup(): void {
  execFileSync('bash', ['scripts/build', '--if-needed'], { stdio: 'inherit' });
}
