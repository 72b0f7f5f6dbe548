import {
  AuthenticateRequest,
  AuthenticateResponse,
  CompactionRequest,
  CompactionResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  RangeRequest,
  RangeResponse,
  StatusRequest,
  StatusResponse,
  TxnRequest,
  TxnResponse,
  WatchRequest,
  WatchResponse,
} from './generated/etcd.js';
import { decodeRangeResponse, type RangePage } from './range-response.js';

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** One gRPC method of etcd: its path and how its messages become bytes. */
export interface Method<Request, Response> {
  /** `/etcdserverpb.KV/Range` */
  readonly path: string;
  /** Reads are tried once more by themselves; a write whose answer was lost may have happened. */
  readonly isRead: boolean;
  readonly serialize: (message: Request) => Buffer;
  readonly deserialize: (bytes: Buffer) => Response;
}

function method<Request, Response>(
  path: string,
  isRead: boolean,
  request: Codec<Request>,
  response: Codec<Response>,
): Method<Request, Response> {
  return {
    path: `/etcdserverpb.${path}`,
    isRead,
    serialize: (message) => {
      const bytes = request.encode(message).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    deserialize: (bytes) => response.decode(bytes),
  };
}

export const rangeMethod: Method<RangeRequest, RangePage> = {
  ...method('KV/Range', true, RangeRequest, RangeResponse),
  deserialize: decodeRangeResponse,
};
export const txnMethod = method('KV/Txn', false, TxnRequest, TxnResponse);
export const compactMethod = method('KV/Compact', false, CompactionRequest, CompactionResponse);
export const leaseGrantMethod = method('Lease/LeaseGrant', false, LeaseGrantRequest, LeaseGrantResponse);
export const statusMethod = method('Maintenance/Status', true, StatusRequest, StatusResponse);
export const authenticateMethod = method('Auth/Authenticate', true, AuthenticateRequest, AuthenticateResponse);
export const watchMethod = method('Watch/Watch', true, WatchRequest, WatchResponse);
