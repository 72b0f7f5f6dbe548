import type { Context } from '../command.js';

/** Set to anything, it silences the notes. */
export const SILENCE_VARIABLE = 'CALICOCTL_NO_NOTES';

/**
 * Says on stderr which command does the same today.
 *
 * @param words what was typed for each `<name>` of the text
 */
export function tellToday(context: Context, today: string, words: Readonly<Record<string, string>> = {}): void {
  if ((context.environment[SILENCE_VARIABLE] ?? '') !== '') return;
  context.tell(`note: today: ${today.replace(/<([^>]+)>/g, (all, name: string) => words[name] ?? all)}`);
}
