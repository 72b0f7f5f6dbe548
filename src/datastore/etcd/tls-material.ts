import { readFileSync } from 'node:fs';
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

export function readTlsMaterial(config: EtcdConfig): TlsMaterial {
  return {
    ca: readPem(config.caCertFile, config.caCert, 'CA certificate'),
    key: readPem(config.keyFile, config.key, 'client key'),
    cert: readPem(config.certFile, config.cert, 'client certificate'),
  };
}

/** Host of a TCP endpoint, without the brackets of IPv6. */
export function hostOf(endpoint: string): string {
  return endpoint.replace(/^https?:\/\/\[?/, '').replace(/\]?:\d+$/, '');
}
