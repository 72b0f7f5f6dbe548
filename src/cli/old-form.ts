import type { Context } from './command.js';
import type { Result } from './result.js';

/** Set to anything, it silences the notes. */
const SILENCE_VARIABLE = 'CALICOCTL_NO_NOTES';

/** What the first era's host commands told who was not root, with its exit status. */
export function oldRootRefusal(): Result | undefined {
  return process.geteuid?.() === 0 ? undefined : { status: 2, errors: ['This command must be run as root.'] };
}

/** Says on stderr which command does the same today. */
export function tellToday(context: Context, today: string): void {
  if ((context.environment[SILENCE_VARIABLE] ?? '') === '') context.tell(`note: today: ${today}`);
}
