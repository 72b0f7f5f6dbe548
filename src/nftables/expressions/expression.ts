import type { Bitwise } from './bitwise.js';
import type { Cmp } from './cmp.js';
import type { CounterExpression } from './counter.js';
import type { Ct, CtSet } from './ct.js';
import type { Fib } from './fib.js';
import type { Immediate, VerdictExpression } from './immediate.js';
import type { Limit } from './limit.js';
import type { Log } from './log.js';
import type { Lookup } from './lookup.js';
import type { Masquerade } from './masq.js';
import type { Meta, MetaSet } from './meta.js';
import type { Nat } from './nat.js';
import type { Notrack } from './notrack.js';
import type { ObjectReference } from './objref.js';
import type { Payload } from './payload.js';
import type { Range } from './range.js';
import type { Reject } from './reject.js';
import type { UnknownExpression } from './unknown.js';

/**
 * One instruction of a rule. The kernel runs a rule's expressions in order over sixteen 32-bit registers and stops at the first
 * that does not match.
 */
export type Expression =
  | Bitwise
  | Cmp
  | CounterExpression
  | Ct
  | CtSet
  | Fib
  | Immediate
  | VerdictExpression
  | Limit
  | Log
  | Lookup
  | Masquerade
  | Meta
  | MetaSet
  | Nat
  | Notrack
  | ObjectReference
  | Payload
  | Range
  | Reject
  | UnknownExpression;
