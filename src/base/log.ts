import { destination, type Logger, pino } from 'pino';
import { CalicoError, formatError } from './errors.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** What a line is about besides its words; `error` may be anything that was thrown. */
export type LogFacts = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
  /** The same log with the name of a part of the program in each line. */
  part(name: string): Log;
  /** For this log and all its parts. */
  setLevel(level: LogLevel): void;
}

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** `human` (default): `2026-01-01 00:00:00.000 [INFO][77] node: message key=value`; `json`: one object a line. */
  readonly format?: 'human' | 'json';
  /** Where lines go, each with its line feed. Default: stderr, written at once. */
  readonly write?: (line: string) => void;
}

/** Facts that are never written, at the top or one level down. */
const SECRETS = ['password', 'token', 'secret', 'key', 'cert', 'authorization', 'etcdPassword', 'k8sAPIToken'];
const CREDENTIALS = /(\/\/)[^/@\s"]*:[^/@\s"]*@/g;

interface Line {
  readonly level: string;
  readonly time: string;
  readonly pid: number;
  readonly part?: string;
  readonly msg: string;
  readonly error?: string;
  readonly [fact: string]: unknown;
}

function factText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined';
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function humanLine(json: string): string {
  const { level, time, pid, part, msg, error, ...facts } = JSON.parse(json) as Line;
  const head = `${time.replace('T', ' ').replace('Z', '')} [${level.toUpperCase()}][${pid}] `;
  const words = `${part === undefined ? '' : `${part}: `}${msg}${error === undefined ? '' : `: ${error}`}`;
  const rest = Object.entries(facts).map(([name, value]) => ` ${name}=${factText(value)}`);
  return `${head}${words}${rest.join('')}\n`;
}

/** What can be acted on is said in one line; anything else is a bug and shows its stack. */
function errorText(error: unknown): string {
  return error instanceof Error && !(error instanceof CalicoError)
    ? (error.stack ?? error.message)
    : formatError(error);
}

function wrap(root: Logger, logger: Logger): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error', message: string, facts: LogFacts | undefined): void => {
    // Parts follow the level of the whole.
    if (!root.isLevelEnabled(level)) return;
    if (facts === undefined) logger[level](message);
    else logger[level](facts, message);
  };
  return {
    debug: (message, facts) => write('debug', message, facts),
    info: (message, facts) => write('info', message, facts),
    warn: (message, facts) => write('warn', message, facts),
    error: (message, facts) => write('error', message, facts),
    part: (name) => wrap(root, logger.child({ part: name }, { level: 'debug' })),
    setLevel: (level) => {
      root.level = level;
    },
  };
}

/** A daemon's log. Lines are written before the call returns, so that the last words of a process are not lost; secrets are blanked. */
export function createLog(options: LogOptions = {}): Log {
  const { level = 'info', format = 'human', write } = options;
  const stderr = write === undefined ? destination({ fd: 2, sync: true }) : undefined;
  const put = write ?? ((line: string) => stderr?.write(line));
  const sink = {
    write(json: string): void {
      const clean = json.replaceAll(CREDENTIALS, '$1');
      put(format === 'json' ? clean : humanLine(clean));
    },
  };
  const root = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorText },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '***' },
    },
    sink,
  );
  return wrap(root, root);
}

/** A log that says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  part: () => silentLog,
  setLevel: () => undefined,
};
