import type { IncomingHttpHeaders } from 'node:http2';

/** Status codes of gRPC that etcd uses. @see https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export const GRPC_OK = 0;
export const GRPC_CANCELLED = 1;
export const GRPC_INVALID_ARGUMENT = 3;
export const GRPC_DEADLINE_EXCEEDED = 4;
export const GRPC_PERMISSION_DENIED = 7;
export const GRPC_RESOURCE_EXHAUSTED = 8;
export const GRPC_OUT_OF_RANGE = 11;
export const GRPC_INTERNAL = 13;
export const GRPC_UNAVAILABLE = 14;
export const GRPC_UNAUTHENTICATED = 16;

/** The connection ended before the call left. */
const UNSENT = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

export function hasUnsentCode(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && UNSENT.has(String(cause.code));
}

/** A call that failed, for `etcdError()` to word: by the server's answer, or for want of one. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  readonly details: string;
  /** The call reached nobody: it may be made again whatever it does. */
  readonly isUnsent: boolean;

  /** Of these: there was no connection at all, so that another one to the same place would not help. */
  readonly isUnreached: boolean;

  constructor(code: number, details: string, cause?: unknown, fate: 'sent' | 'unsent' | 'unreached' = 'sent') {
    super(details, { cause });
    this.code = code;
    this.details = details;
    this.isUnsent = fate !== 'sent' || hasUnsentCode(cause);
    this.isUnreached = fate === 'unreached';
  }
}

/** A flag (0: not compressed) and the message's length. */
const PREFIX_BYTES = 5;

export function frameMessage(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX_BYTES);
  return framed;
}

/** Puts messages together from what arrives, however it is cut. */
export class MessageReader {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #received = 0;
  /** Bytes that the next step needs: a prefix, or a prefix with its message. */
  #needed = PREFIX_BYTES;

  /** @param limitBytes of one message: larger ones are refused before they are kept */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** True between messages. */
  get isEmpty(): boolean {
    return this.#received === 0;
  }

  /** @throws {GrpcError} for a message that is compressed or too large */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    const messages: Buffer[] = [];
    while (this.#received >= this.#needed) {
      const [first] = this.#chunks;
      const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
      this.#chunks = [bytes];
      if (this.#needed === PREFIX_BYTES && bytes.readUInt32BE(1) > 0) this.#expect(bytes);
      else {
        messages.push(bytes.subarray(PREFIX_BYTES, this.#needed));
        this.#chunks = bytes.length === this.#needed ? [] : [bytes.subarray(this.#needed)];
        this.#received -= this.#needed;
        this.#needed = PREFIX_BYTES;
      }
    }
    return messages;
  }

  #expect(prefix: Buffer): void {
    if (prefix.readUInt8(0) !== 0) throw new GrpcError(GRPC_INTERNAL, 'an answer that cannot be read');
    const length = prefix.readUInt32BE(1);
    if (length > this.#limitBytes) throw new GrpcError(GRPC_RESOURCE_EXHAUSTED, 'the answer is too large');
    this.#needed = PREFIX_BYTES + length;
  }
}

/** grpc-message is percent-encoded; text that is not, is taken as it is. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded after all.
    return text;
  }
}

/** What headers or trailers say of the call's end; undefined when they say nothing. */
export function statusOf(headers: IncomingHttpHeaders): GrpcError | 'ok' | undefined {
  const text = headers['grpc-status'];
  if (typeof text !== 'string') return undefined;
  const code = Number(text);
  const message = headers['grpc-message'];
  return code === GRPC_OK ? 'ok' : new GrpcError(code, typeof message === 'string' ? decodeMessage(message) : '');
}
