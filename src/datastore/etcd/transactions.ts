import { formatKeyPath } from '../../api/keys.js';
import { encodeStored } from '../../api/stored-form.js';
import type { ResourceKey, WriteOperation } from '../datastore.js';
import { doesNotExist, existsAlready, hasChanged } from '../errors.js';
import {
  type Compare,
  Compare_CompareResult,
  Compare_CompareTarget,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
} from './generated/etcd.js';

const NO_BYTES = Buffer.alloc(0);

interface Check {
  readonly key: ResourceKey;
  readonly type: WriteOperation['type'];
  readonly revision: string | undefined;
}

/** What a commit asks of etcd, and how to read a refusal. */
export interface PlannedTxn {
  readonly request: TxnRequest;
  readonly checks: readonly Check[];
}

function compareFor(operation: WriteOperation, key: Buffer): Compare | undefined {
  const version = { target: Compare_CompareTarget.VERSION, key, version: 0n };
  switch (operation.type) {
    case 'put':
      return undefined;
    case 'create':
      return { ...version, result: Compare_CompareResult.EQUAL };
    case 'update':
    case 'delete':
      if (operation.revision === undefined) return { ...version, result: Compare_CompareResult.GREATER };
      return {
        result: Compare_CompareResult.EQUAL,
        target: Compare_CompareTarget.MOD,
        key,
        modRevision: BigInt(operation.revision),
      };
  }
}

function writeOf(operation: WriteOperation, key: Buffer, lease: bigint): RequestOp {
  if (operation.type === 'delete') return { requestDeleteRange: { key, rangeEnd: NO_BYTES, prevKv: true } };
  const value = Buffer.from(encodeStored(operation.key.kind, operation.value));
  return { requestPut: { key, value, lease } };
}

/** One transaction; when a comparison fails it reads, in the same round trip, what stands in the way. */
export function planTxn(operations: readonly WriteOperation[], lease = 0n): PlannedTxn {
  const request: TxnRequest = { compare: [], success: [], failure: [] };
  const checks: Check[] = [];
  for (const operation of operations) {
    const key = Buffer.from(formatKeyPath(operation.key));
    request.success.push(writeOf(operation, key, lease));
    const compare = compareFor(operation, key);
    if (compare === undefined) continue;
    request.compare.push(compare);
    request.failure.push({ requestRange: { key, rangeEnd: NO_BYTES, limit: 1n, revision: 0n, keysOnly: true } });
    const revision = 'revision' in operation ? operation.revision : undefined;
    checks.push({ key: operation.key, type: operation.type, revision });
  }
  return { request, checks };
}

function refusal(check: Check, stored: bigint | undefined): Error | undefined {
  if (check.type === 'create') return stored === undefined ? undefined : existsAlready(check.key);
  if (stored === undefined) return doesNotExist(check.key);
  const { revision } = check;
  if (revision === undefined || BigInt(revision) === stored) return undefined;
  return hasChanged(check.key, revision, String(stored));
}

/** The first comparison that lost, as an error. */
export function explainRefusal(checks: readonly Check[], response: TxnResponse): Error {
  for (const [index, check] of checks.entries()) {
    const error = refusal(check, response.responses[index]?.responseRange?.kvs[0]?.modRevision);
    if (error !== undefined) return error;
  }
  return new Error('etcd refused a transaction all of whose comparisons hold');
}
