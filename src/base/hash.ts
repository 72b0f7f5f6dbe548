import { createHash } from 'node:crypto';

/** The digests that stored keys, interface names and identifiers are made of. None of them guards a secret. */
export type HashAlgorithm = 'sha1' | 'sha224' | 'sha256';

/** Digest of UTF-8 text or bytes. */
export function hashBytes(algorithm: HashAlgorithm, data: string | Uint8Array): Uint8Array {
  return createHash(algorithm).update(data).digest();
}

/** Digest in lower-case hexadecimal. */
export function hashHex(algorithm: HashAlgorithm, data: string | Uint8Array): string {
  return createHash(algorithm).update(data).digest('hex');
}

/** Digest in base64url without padding (RFC 4648 section 5). */
export function hashBase64Url(algorithm: HashAlgorithm, data: string | Uint8Array): string {
  return createHash(algorithm).update(data).digest('base64url');
}
