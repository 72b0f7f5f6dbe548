/** One line of a reply; codes are those of BIRD's doc/reply_codes: 1xxx data, 2xxx headers, 8xxx run-time and 9xxx parse errors. */
export interface BirdLine {
  readonly code: number;
  readonly text: string;
}

/** A whole reply: its last line says how it ended. */
export interface BirdReply {
  readonly code: number;
  /** All lines, the last one included. */
  readonly lines: readonly BirdLine[];
}

/**
 * Cuts what BIRD's control socket says into replies. `1002-text` is a line with more to come, ` text` one more of the same code,
 * `0000 text` the last; `+text` is log output that belongs to no reply. Takes anything and never fails: text of no known form counts as one
 * more line.
 */
export class BirdReplyParser {
  #rest = '';
  #lines: BirdLine[] = [];

  /** @returns the replies that are complete by now */
  push(text: string): readonly BirdReply[] {
    const pieces = (this.#rest + text).split('\n');
    this.#rest = pieces.pop() ?? '';
    return pieces.flatMap((line) => this.#take(line) ?? []);
  }

  #take(line: string): BirdReply | undefined {
    if (line.startsWith('+')) return undefined;
    const [, code, separator, text = ''] = /^(\d{4})([ -])(.*)$/s.exec(line) ?? [];
    if (code === undefined) {
      this.#lines.push({ code: this.#lines.at(-1)?.code ?? 0, text: line.startsWith(' ') ? line.slice(1) : line });
      return undefined;
    }
    this.#lines.push({ code: Number(code), text });
    if (separator === '-') return undefined;
    const reply = { code: Number(code), lines: this.#lines };
    this.#lines = [];
    return reply;
  }
}

const VERSION = 1000;
const PROTOCOL = 1002;
const ROUTE = 1007;
const STATUS = 1011;
const RECOVERING = 24;

export interface BirdStatus {
  /** `2.0.12`. */
  readonly version: string;
  readonly routerId: string;
  /** As BIRD writes it: local time. */
  readonly lastReboot: string;
  readonly lastReconfiguration: string;
  /** It waits for its peers before it lets go of what its predecessor put into the kernel. */
  readonly isRecovering: boolean;
}

/** Reads the reply to `show status`; what is not in it is empty. */
export function readStatus(reply: BirdReply): BirdStatus {
  const after = (code: number, words: string): string =>
    reply.lines
      .find((line) => line.code === code && line.text.startsWith(words))
      ?.text.slice(words.length)
      .trim() ?? '';
  return {
    version: after(VERSION, 'BIRD '),
    routerId: after(STATUS, 'Router ID is '),
    lastReboot: after(STATUS, 'Last reboot on '),
    lastReconfiguration: after(STATUS, 'Last reconfiguration on '),
    isRecovering: reply.lines.some(({ code }) => code === RECOVERING),
  };
}

export interface BirdProtocol {
  /** `Mesh_192_0_2_2`. */
  readonly name: string;
  /** `BGP`, `Kernel`, `Static`, `Direct`, `Device`. */
  readonly type: string;
  /** `up`, `start`, `down`, `stop`. */
  readonly state: string;
  /** Local time: `2026-01-01 12:00:00`. */
  readonly since: string;
  /** Of BGP: `Established`, `Connect`, `Active  Socket: Connection refused`, …; else empty. */
  readonly info: string;
}

/** Reads the reply to `show protocols`. */
export function readProtocols(reply: BirdReply): readonly BirdProtocol[] {
  const form = /^(\S+)\s+(\S+)\s+\S+\s+(\S+)\s+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*|\S+)\s*(.*)$/;
  return reply.lines.flatMap(({ code, text }) => {
    const [, name, type, state, since, info = ''] = (code === PROTOCOL && form.exec(text)) || [];
    if (name === undefined || type === undefined || state === undefined || since === undefined) return [];
    return [{ name, type, state, since, info: info.trim() }];
  });
}

export interface BirdRoute {
  /** `master4` or `master6`. */
  readonly table: string;
  readonly destination: string;
  /** `unicast`, `blackhole`, … */
  readonly type: string;
  /** The protocol that brought it: `Mesh_192_0_2_2`, `direct1`, `kernel4`, `blocks4`. */
  readonly protocol: string;
  /** The one that is used, of all to its destination. */
  readonly isBest: boolean;
  /** One a path; absent for those that lead nowhere. */
  readonly hops: readonly BirdHop[];
}

export interface BirdHop {
  readonly gateway?: string;
  readonly device: string;
}

type OpenRoute = BirdRoute & { readonly hops: BirdHop[] };

/** Reads the reply to `show route`. */
export function readRoutes(reply: BirdReply): readonly BirdRoute[] {
  const routes: OpenRoute[] = [];
  let table = '';
  for (const { code, text } of reply.lines) {
    if (code !== ROUTE) continue;
    table = /^Table (\S+):$/.exec(text)?.[1] ?? table;
    const hop = readHop(text);
    if (hop !== undefined) routes.at(-1)?.hops.push(hop);
    const route = readRoute(text, table, routes.at(-1)?.destination ?? '');
    if (route !== undefined) routes.push(route);
  }
  return routes;
}

function readHop(text: string): BirdHop | undefined {
  const [, gateway, device] = /^\t(?:via (\S+) on|dev) (\S+)/.exec(text) ?? [];
  if (device === undefined) return undefined;
  return gateway === undefined ? { device } : { gateway, device };
}

/** @param above the destination of the line before: another route to it leaves the first column empty */
function readRoute(text: string, table: string, above: string): OpenRoute | undefined {
  const [, prefix, type, protocol, rest = ''] = /^(\S*) +(\S+) \[(\S+) [^\]]*\](.*)$/.exec(text) ?? [];
  if (prefix === undefined || type === undefined || protocol === undefined) return undefined;
  const isBest = rest.trimStart().startsWith('*');
  return { table, destination: prefix === '' ? above : prefix, type, protocol, isBest, hops: [] };
}
