import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { CalicoError } from '../../base/errors.js';
import type { EtcdConfig } from './config.js';

function readPem(path: string | undefined, inline: string | undefined, what: string): Buffer | null {
  if (path === undefined) return inline === undefined ? null : Buffer.from(inline);
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new CalicoError('ERR_CALI_DATASTORE_CONFIG', `cannot read the ${what} "${path}": ${why}`, {
      hint: 'check ETCD_CA_CERT_FILE, ETCD_CERT_FILE and ETCD_KEY_FILE',
      cause,
    });
  }
}

/** What a connection with TLS shows and trusts, read afresh for each: certificates are renewed while we run. */
export interface TlsMaterial {
  readonly ca: Buffer | null;
  readonly key: Buffer | null;
  readonly cert: Buffer | null;
}

/** The library would say so only with the connection half open. Never shows the material itself. */
function checkUsable(material: SecureContextOptions, what: string): void {
  try {
    createSecureContext(material);
  } catch (cause) {
    const said = cause instanceof Error ? (cause.message.split(':').at(-1) ?? '') : String(cause);
    throw new CalicoError('ERR_CALI_DATASTORE_CONFIG', `cannot use the ${what} for etcd: ${said}`, {
      hint: 'check ETCD_CA_CERT_FILE, ETCD_CERT_FILE and ETCD_KEY_FILE: each names a PEM file',
      cause,
    });
  }
}

/** @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` a file that cannot be read, or is not what it should be */
export function readTlsMaterial(config: EtcdConfig): TlsMaterial {
  const ca = readPem(config.caCertFile, config.caCert, 'CA certificate');
  const key = readPem(config.keyFile, config.key, 'client key');
  const cert = readPem(config.certFile, config.cert, 'client certificate');
  if (ca !== null) checkUsable({ ca }, 'CA certificate');
  if (cert !== null) checkUsable({ cert }, 'client certificate');
  if (key !== null) checkUsable({ key }, 'client key');
  if (cert !== null && key !== null) checkUsable({ cert, key }, 'client certificate with this key');
  return { ca, key, cert };
}

/** Host of a TCP endpoint, without the brackets of IPv6. */
export function hostOf(endpoint: string): string {
  return endpoint.replace(/^https?:\/\/\[?/, '').replace(/\]?:\d+$/, '');
}
