/** Status codes of gRPC that etcd uses. @see https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export const GRPC_OK = 0;
export const GRPC_CANCELLED = 1;
export const GRPC_UNKNOWN = 2;
export const GRPC_INVALID_ARGUMENT = 3;
export const GRPC_DEADLINE_EXCEEDED = 4;
export const GRPC_PERMISSION_DENIED = 7;
export const GRPC_RESOURCE_EXHAUSTED = 8;
export const GRPC_OUT_OF_RANGE = 11;
export const GRPC_INTERNAL = 13;
export const GRPC_UNAVAILABLE = 14;
export const GRPC_UNAUTHENTICATED = 16;

/** How a call ended that did not succeed: what grpc-js reports has this shape too. */
export interface GrpcFailure {
  readonly code: number;
  readonly details: string;
}
