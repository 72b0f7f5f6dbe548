import { setFlagsFromString } from 'node:v8';

/**
 * A command is mostly over before the machine code that V8 makes of its loops has paid for itself: from now on only what runs eight
 * times as long as V8's own bound is worth it. A quarter of the CPU time of a list of 1,000 objects, and little lost with 50,000.
 *
 * Only when everything is loaded: compiled forms of other settings, Node.js's own among them, are refused. For the same reason not
 * while the build keeps the compiled form of the program.
 */
export function favourShortRuns(environment: Readonly<Record<string, string | undefined>>): void {
  if (environment['CALICO_WRITE_CODE_CACHE'] === undefined) setFlagsFromString('--interrupt-budget=1000000');
}
