import { CalicoError, ConflictError, UnavailableError } from '../../base/errors.js';
import { COMPACTED } from '../errors.js';
import { describeEndpoint } from './config.js';
import {
  GRPC_CANCELLED,
  GRPC_DEADLINE_EXCEEDED,
  GRPC_INTERNAL,
  GRPC_INVALID_ARGUMENT,
  GRPC_OUT_OF_RANGE,
  GRPC_PERMISSION_DENIED,
  GRPC_RESOURCE_EXHAUSTED,
  GRPC_UNAUTHENTICATED,
  GRPC_UNAVAILABLE,
  type GrpcError,
} from './grpc-message.js';

/** What the operating system says, in words. */
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name cannot be looked up now',
};

const TLS_REASONS: readonly (readonly [RegExp, string])[] = [
  [/self[- ]signed certificate/i, 'its certificate is signed by an authority this host does not trust'],
  [/unable to (verify|get)/i, 'its certificate is signed by an authority this host does not trust'],
  [/certificate has expired/i, 'its certificate has expired'],
  [/does not match certificate/i, 'its certificate is for another name'],
  [/alert.*certificate|certificate required/i, 'it refuses our client certificate'],
  [/wrong version number|packet length too long|before secure TLS connection/i, 'it does not speak TLS'],
];

function unavailableReason(details: string): string {
  for (const [pattern, reason] of TLS_REASONS) if (pattern.test(details)) return reason;
  const errno = /\b(E[A-Z_]{4,})\b/.exec(details)?.[1];
  const known = errno === undefined ? undefined : SYSTEM_REASONS[errno];
  if (known !== undefined) return known;
  if (/GOAWAY|connection ended|keepalive|stream closed/i.test(details)) return 'connection lost';
  return details.replace(/^etcdserver: /, '');
}

const REFUSED_TOKEN = /invalid auth token|revision of auth store is old/;

/** True when a new token may help: tokens expire, and die with the server that gave them. */
export function wantsNewToken(error: unknown): boolean {
  return error instanceof Error && REFUSED_TOKEN.test(error.message);
}

function unauthorized(where: string, said: string, cause: unknown): CalicoError {
  return new CalicoError('ERR_CALI_DATASTORE_UNAUTHORIZED', `${where} refuses: ${said}`, {
    hint: 'check ETCD_USERNAME, ETCD_PASSWORD and the role of that user',
    cause,
  });
}

function isAuthFailure(code: number, said: string): boolean {
  if (code === GRPC_UNAUTHENTICATED || code === GRPC_PERMISSION_DENIED) return true;
  return code === GRPC_INVALID_ARGUMENT && /auth|user name/.test(said);
}

export function noAnswer(endpoint: string, cause?: unknown): UnavailableError {
  return new UnavailableError(
    'ERR_CALI_DATASTORE_TIMEOUT',
    `etcd at ${describeEndpoint(endpoint)}: no answer in time`,
    {
      cause,
    },
  );
}

/** What etcd or the way to it said, as an error of ours. */
export function etcdError(error: GrpcError, endpoint: string): Error {
  const where = `etcd at ${describeEndpoint(endpoint)}`;
  const said = error.details.replace(/^etcdserver: /, '');
  const options = { cause: error };
  if (isAuthFailure(error.code, said)) return unauthorized(where, said, error);
  switch (error.code) {
    case GRPC_UNAVAILABLE:
      return new UnavailableError(
        'ERR_CALI_DATASTORE_UNAVAILABLE',
        `${where}: ${unavailableReason(error.details)}`,
        options,
      );
    case GRPC_DEADLINE_EXCEEDED:
      return noAnswer(endpoint, error);
    case GRPC_CANCELLED:
    case GRPC_INTERNAL:
      return new UnavailableError('ERR_CALI_DATASTORE_UNAVAILABLE', `${where}: connection lost`, options);
    case GRPC_OUT_OF_RANGE:
      return new ConflictError(COMPACTED, `${where} no longer keeps that history: ${said}`, options);
    case GRPC_RESOURCE_EXHAUSTED:
      if (/space exceeded/.test(said)) {
        const hint = 'compact and defragment it, then clear the alarm with: etcdctl alarm disarm';
        return new CalicoError('ERR_CALI_DATASTORE_FULL', `${where} is full: ${said}`, { hint, cause: error });
      }
      return new UnavailableError('ERR_CALI_DATASTORE_BUSY', `${where}: ${said}`, options);
    default:
      return new CalicoError('ERR_CALI_DATASTORE_REFUSED', `${where} refuses: ${said}`, options);
  }
}
