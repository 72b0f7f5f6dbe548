import type { Datatype } from './datatypes.js';
import type { Expression } from './expressions/expression.js';
import type { Verdict } from './verdict.js';

export type TableFamily = 'inet' | 'ip' | 'ip6' | 'arp' | 'bridge' | 'netdev';

/** A table is known by its family and name: `inet calico`. */
export interface TableId {
  readonly family: TableFamily;
  readonly name: string;
}

export interface Table extends TableId {
  readonly kind: 'table';
  readonly comment?: string;
  /** Only the socket that made it may change it, and the kernel takes it away when that closes (Linux 5.12). */
  readonly owner?: boolean;
}

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress';

/** What makes a chain a base chain: where packets enter it. Lower priorities see packets first. */
export interface BaseChain {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: Hook;
  readonly priority: number;
  /** `accept` when absent. */
  readonly policy?: 'accept' | 'drop';
  /** For `ingress` and `egress` only. */
  readonly devices?: readonly string[];
}

/** A chain is known by its table and name. Names are at most 127 bytes. */
export interface ChainId {
  readonly table: TableId;
  readonly name: string;
}

export interface Chain extends ChainId {
  readonly kind: 'chain';
  /** Absent: a regular chain, reached by jump or goto only. */
  readonly base?: BaseChain;
  readonly comment?: string;
}

/** What sets and maps share. More than one datatype in `key` is a concatenation, printed `ipv4_addr . inet_service`. */
export interface SetShape {
  readonly key: readonly Datatype[];
  /** Members may be prefixes and ranges. */
  readonly interval?: boolean;
  /** Filled in the transaction that makes it, never changed. */
  readonly constant?: boolean;
  /** Default life of a member; members may then have their own. */
  readonly timeoutMs?: number;
  /** Most members it takes (kernel: `ENFILE` beyond). */
  readonly size?: number;
}

export interface NftSet extends SetShape {
  readonly kind: 'set';
  readonly table: TableId;
  readonly name: string;
  readonly comment?: string;
}

/** A set whose members carry a verdict or a value. */
export interface NftMap extends SetShape {
  readonly kind: 'map';
  readonly table: TableId;
  readonly name: string;
  readonly data: 'verdict' | readonly Datatype[];
  readonly comment?: string;
}

export type AnySet = NftSet | NftMap;

/**
 * One member of a set or map.
 *
 * `key` is text as `nft` writes it (`192.0.2.7`, `192.0.2.0/24`, `80-90`, `192.0.2.7 . tcp . 80`, `cali1a2b3c`, `*` for the
 * catch-all) or the key's bytes as the kernel takes them (fields in network order, each padded to four bytes in a concatenation).
 */
export interface Element {
  readonly key: string | Uint8Array;
  /** Last key of a range, inclusive, where `key` is given as bytes. */
  readonly keyEnd?: Uint8Array;
  readonly verdict?: Verdict;
  /** Value in a data map: text, or bytes. */
  readonly data?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly comment?: string;
}

/** A member in its cheapest form: only a key. */
export type Member = string | Uint8Array | Element;

/** Members to add to or take from one set; hundred thousands are fine. */
export interface Elements {
  readonly kind: 'elements';
  readonly set: AnySet;
  readonly members: readonly Member[];
}

/** A named counter; outlives the rules that use it. */
export interface Counter {
  readonly kind: 'counter';
  readonly table: TableId;
  readonly name: string;
  readonly packets?: bigint;
  readonly bytes?: bigint;
  readonly comment?: string;
}

export interface Rule {
  readonly kind: 'rule';
  readonly chain: ChainId;
  readonly expressions: readonly Expression[];
  /** Shown by `nft list ruleset`; at most 128 bytes. */
  readonly comment?: string;
  /** Hash of the content (comment and expressions, anonymous sets included): 32 hex digits, kept in the rule's user data. */
  readonly hash: string;
}

type Options<T, Given extends keyof T> = Omit<T, 'kind' | Given>;

export function table(family: TableFamily, name: string, options: Options<Table, keyof TableId> = {}): Table {
  return { kind: 'table', family, name, ...options };
}

/** A regular chain. */
export function chain(of: TableId, name: string, options: Options<Chain, 'base' | keyof ChainId> = {}): Chain {
  return { kind: 'chain', table: of, name, ...options };
}

/** A chain that a hook enters. */
export function baseChain(of: TableId, name: string, base: BaseChain): Chain {
  return { kind: 'chain', table: of, name, base };
}

/** A set; `key` is one datatype or several for a concatenation. */
export function set(
  of: TableId,
  name: string,
  key: Datatype | readonly Datatype[],
  options: Options<NftSet, 'table' | 'name' | 'key'> = {},
): NftSet {
  return { kind: 'set', table: of, name, key: typeof key === 'string' ? [key] : key, ...options };
}

/** A map from keys to verdicts, for `vmap`. */
export function verdictMap(
  of: TableId,
  name: string,
  key: Datatype | readonly Datatype[],
  options: Options<NftMap, 'table' | 'name' | 'key' | 'data'> = {},
): NftMap {
  return { kind: 'map', table: of, name, key: typeof key === 'string' ? [key] : key, data: 'verdict', ...options };
}

/** A map from keys to values. */
export function dataMap(
  of: TableId,
  name: string,
  shape: { readonly data: readonly Datatype[] } & SetShape & { readonly comment?: string },
): NftMap {
  return { kind: 'map', table: of, name, ...shape };
}

export function elements(of: AnySet, members: readonly Member[]): Elements {
  return { kind: 'elements', set: of, members };
}

export function counter(of: TableId, name: string, options: Options<Counter, 'table' | 'name'> = {}): Counter {
  return { kind: 'counter', table: of, name, ...options };
}

export function sameTable(a: TableId, b: TableId): boolean {
  return a.family === b.family && a.name === b.name;
}
