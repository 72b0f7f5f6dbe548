import { invalidObject } from './errors.js';
import type { AnySet, BaseChain, Chain, Counter, Elements, SetShape, Table } from './objects.js';
import type { Operation } from './nftables.js';
import { printOperation } from './print-operation.js';

// include/uapi/linux/netfilter/nf_tables.h: NFT_NAME_MAXLEN and its likes, the closing NUL counted.
const NAME_BYTES = 256;
/** nft's own limit on comments; what is longer, it refuses to print back. */
const COMMENT_BYTES = 128;

/**
 * What can be known to be wrong without asking the kernel.
 *
 * @throws {CalicoError} `ERR_CALI_NFT_OBJECT`
 */
export function validateOperation(operation: Operation): void {
  const problem = problemOf(operation);
  if (problem !== undefined) throw invalidObject(printOperation(operation), problem);
}

function problemOf(operation: Operation): string | undefined {
  if (operation.verb === 'delete-rule') return badHandle(operation.handle) ?? badName(operation.chain.name);
  if (operation.verb === 'replace') return badHandle(operation.handle) ?? badComment(operation.object.comment);
  if (operation.verb === 'delete' || operation.verb === 'flush') return badTaking(operation.object);
  const { object } = operation;
  if (object.kind === 'rule') {
    const beside = 'beside' in operation ? operation.beside : undefined;
    return (beside === undefined ? undefined : badHandle(beside)) ?? badComment(object.comment);
  }
  if (object.kind === 'elements') return badElements(object);
  return badName(object.name) ?? badComment(object.comment) ?? badShape(object);
}

function badElements(object: Elements): string | undefined {
  return object.members.length === 0 ? 'it has no members' : undefined;
}

function badTaking(object: Extract<Operation, { verb: 'delete' | 'flush' }>['object']): string | undefined {
  return object.kind === 'elements' ? badElements(object) : badName(object.name);
}

function badShape(object: Table | Chain | AnySet | Counter): string | undefined {
  if (object.kind === 'chain') return badBase(object);
  return object.kind === 'set' || object.kind === 'map' ? badSet(object) : undefined;
}

function badHandle(handle: number): string | undefined {
  return Number.isSafeInteger(handle) && handle > 0 ? undefined : `${handle} is no handle`;
}

function badName(name: string): string | undefined {
  if (name === '' || name.includes('\0')) return `"${name}" is no name`;
  return Buffer.byteLength(name) < NAME_BYTES ? undefined : 'its name is longer than 255 bytes';
}

function badComment(comment: string | undefined): string | undefined {
  if (comment === undefined) return undefined;
  if (Buffer.byteLength(comment) > COMMENT_BYTES) return `its comment is longer than ${COMMENT_BYTES} bytes`;
  return /[\0"\n]/.test(comment) ? 'its comment holds a quote, line end or NUL, which nft cannot print' : undefined;
}

const HOOKS_OF_TYPE: Readonly<Record<BaseChain['type'], readonly BaseChain['hook'][]>> = {
  filter: ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress'],
  nat: ['prerouting', 'input', 'output', 'postrouting'],
  route: ['output'],
};

function badBase(chain: Chain): string | undefined {
  const { base } = chain;
  if (base === undefined) return undefined;
  if (!HOOKS_OF_TYPE[base.type].includes(base.hook)) return `type ${base.type} has no hook ${base.hook}`;
  if (base.type === 'nat' && base.priority <= -200) return 'a nat chain needs a priority above -200 (conntrack)';
  const atDevice = base.hook === 'ingress' || base.hook === 'egress';
  if (atDevice && (base.devices ?? []).length === 0) return `hook ${base.hook} needs a device`;
  return !atDevice && base.devices !== undefined ? `hook ${base.hook} has no devices` : undefined;
}

function badSet(set: SetShape): string | undefined {
  if (set.key.length === 0) return 'it has no key type';
  if (set.key.includes('unknown')) return 'its key type is not known';
  return set.timeoutMs !== undefined && set.timeoutMs <= 0 ? 'its timeout is not above 0' : undefined;
}
