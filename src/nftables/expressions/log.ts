import type { ExpressionCodec } from './expression-codec.js';

export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug';

/** To the kernel log, or with `group` to whoever listens on that NFLOG group. */
export interface Log {
  readonly type: 'log';
  /** At most 127 bytes. */
  readonly prefix?: string;
  /** Kernel log only. */
  readonly level?: LogLevel;
  readonly group?: number;
  /** NFLOG only: bytes of the packet to send, packets to gather before sending. */
  readonly snaplen?: number;
  readonly queueThreshold?: number;
}

export function log(options: Omit<Log, 'type'>): Log {
  return { type: 'log', ...options };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_log_attributes, nft_log_level.
const NFTA_LOG_GROUP = 1;
const NFTA_LOG_PREFIX = 2;
const NFTA_LOG_SNAPLEN = 3;
const NFTA_LOG_QTHRESHOLD = 4;
const NFTA_LOG_LEVEL = 5;
const NFTA_LOG_FLAGS = 6;
const LEVELS: readonly LogLevel[] = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
const DEFAULT_LEVEL: LogLevel = 'warn';

export const logCodec: ExpressionCodec<Log> = {
  name: 'log',
  attributes: [NFTA_LOG_GROUP, NFTA_LOG_PREFIX, NFTA_LOG_SNAPLEN, NFTA_LOG_QTHRESHOLD, NFTA_LOG_LEVEL, NFTA_LOG_FLAGS],
  encode(expression, into) {
    if (expression.prefix !== undefined) into.string(NFTA_LOG_PREFIX, expression.prefix);
    if (expression.group !== undefined) {
      into.u16BE(NFTA_LOG_GROUP, expression.group);
      into.u32BE(NFTA_LOG_SNAPLEN, expression.snaplen ?? 0);
      into.u16BE(NFTA_LOG_QTHRESHOLD, expression.queueThreshold ?? 0);
    } else if (expression.level !== undefined) {
      into.u32BE(NFTA_LOG_LEVEL, LEVELS.indexOf(expression.level));
    }
  },
  decode(attributes) {
    if ((attributes.u32BE(NFTA_LOG_FLAGS) ?? 0) !== 0) return undefined;
    const prefix = attributes.string(NFTA_LOG_PREFIX);
    const levelNumber = attributes.u32BE(NFTA_LOG_LEVEL);
    const level = levelNumber === undefined ? undefined : LEVELS[levelNumber];
    if (levelNumber !== undefined && level === undefined) return undefined;
    const group = attributes.u16BE(NFTA_LOG_GROUP);
    const snaplen = attributes.u32BE(NFTA_LOG_SNAPLEN) ?? 0;
    const queueThreshold = attributes.u16BE(NFTA_LOG_QTHRESHOLD) ?? 0;
    if (level !== undefined && group !== undefined) return undefined;
    return {
      type: 'log',
      ...(prefix === undefined ? {} : { prefix }),
      ...(level === undefined ? {} : { level }),
      ...(group === undefined ? {} : { group }),
      ...(snaplen === 0 ? {} : { snaplen }),
      ...(queueThreshold === 0 ? {} : { queueThreshold }),
    };
  },
  print(expression, text) {
    const parts = ['log'];
    if (expression.prefix !== undefined) parts.push(`prefix "${expression.prefix}"`);
    if (expression.group !== undefined) parts.push(`group ${expression.group}`);
    if (expression.snaplen !== undefined) parts.push(`snaplen ${expression.snaplen}`);
    if (expression.queueThreshold !== undefined) parts.push(`queue-threshold ${expression.queueThreshold}`);
    const level = expression.level ?? DEFAULT_LEVEL;
    if (expression.group === undefined && level !== DEFAULT_LEVEL) parts.push(`level ${level}`);
    text.act(parts.join(' '));
  },
};
