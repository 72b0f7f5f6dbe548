import { ConflictError, KernelError, UnsupportedError } from '../base/errors.js';
import { parseAttributeList } from '../netlink/attributes.js';
import { NLMSG_HDRLEN } from '../netlink/message.js';
import type { Refusal } from '../netlink/socket.js';
import type { Batch, Origin } from './batch.js';
import { memberIndexAt } from './element-codec.js';
import type { Expression } from './expressions/expression.js';
import type { Operation } from './nftables.js';
import { printOperation } from './print-operation.js';
import { expressionIndexAt } from './rule-codec.js';
import { NFGENMSG_LENGTH } from './wire.js';

// include/uapi/asm-generic/errno-base.h, errno.h.
const ENOENT = 2;
const ERESTART = 85;

/** What the first refusal of a batch means to the caller. */
export function errorOfRefusal(batch: Batch, refusal: Refusal): Error {
  const { error, index } = refusal;
  if (error.errno === ERESTART) {
    return new ConflictError('ERR_CALI_NFT_GENERATION', 'the ruleset changed since it was read', { cause: error });
  }
  const origin = batch.origin(index);
  if (origin === undefined) return kernelError('commit the ruleset', error);
  const missing = error.errno === ENOENT ? missingExpression(batch, refusal, origin) : undefined;
  if (missing !== undefined) {
    return new UnsupportedError(
      'ERR_CALI_NFT_EXPRESSION',
      `nf_tables expression ${missing}`,
      `this kernel has no nf_tables expression "${missing}": cannot ${printOperation(origin.operation)}`,
      { cause: error },
    );
  }
  return kernelError(printOperation(refusedPart(batch, refusal, origin)), error);
}

function kernelError(operation: string, cause: KernelError): KernelError {
  const { errno, errnoName, kernelText } = cause;
  return new KernelError({ operation, errno, errnoName, kernelText }, { cause });
}

/** Of an operation on many elements, the one member the kernel pointed at. */
function refusedPart(batch: Batch, refusal: Refusal, { operation, membersFrom }: Origin): Operation {
  const { offset } = refusal.error;
  if (membersFrom === undefined || offset === undefined || operation.verb === 'delete-rule') return operation;
  if (operation.object.kind !== 'elements') return operation;
  const message = batch.message(refusal.index);
  const index = memberIndexAt(message, parseAttributeList(message.subarray(NLMSG_HDRLEN + NFGENMSG_LENGTH)), offset);
  const member = operation.object.members[membersFrom + (index ?? 0)];
  if (index === undefined || member === undefined) return operation;
  const object = { ...operation.object, members: [member] };
  return operation.verb === 'delete' ? { verb: 'delete', object } : { verb: makingVerb(operation.verb), object };
}

function makingVerb(verb: Operation['verb']): 'add' | 'create' {
  return verb === 'create' ? 'create' : 'add';
}

/** Expressions that name another object: for them `ENOENT` means that object. */
const NAMING: ReadonlySet<Expression['type']> = new Set<Expression['type']>(['lookup', 'objref', 'verdict']);

/** The expression the kernel does not have, if that is what it complains about. */
function missingExpression(batch: Batch, refusal: Refusal, { operation }: Origin): string | undefined {
  const { offset } = refusal.error;
  if (offset === undefined || operation.verb === 'delete-rule' || operation.object.kind !== 'rule') return undefined;
  const message = batch.message(refusal.index);
  const attributes = parseAttributeList(message.subarray(NLMSG_HDRLEN + NFGENMSG_LENGTH));
  const expression = operation.object.expressions[expressionIndexAt(message, attributes, offset) ?? -1];
  if (expression === undefined || NAMING.has(expression.type)) return undefined;
  return expression.type === 'unknown' ? expression.name : expression.type;
}
