import { CalicoError } from '../base/errors.js';
import { hashHex } from '../base/hash.js';

const PREFIX = 'cali';
const ID_CHARACTERS = 11;
/** IFNAMSIZ less the closing NUL. */
const MAX_NAME_BYTES = 15;

/** Host interface of a container's endpoint: `cali` and the first 11 characters of the endpoint's id, dashes left out. */
export function endpointInterfaceName(endpointId: string): string {
  const id = endpointId.replaceAll('-', '').slice(0, ID_CHARACTERS);
  if (!/^[0-9A-Za-z_.]+$/.test(id)) {
    throw new CalicoError(
      'ERR_CALI_NET_INTERFACE',
      `"${endpointId}" is not an endpoint id: no interface name comes of it`,
    );
  }
  return PREFIX + id;
}

/**
 * Host interface of a Kubernetes pod: `cali` and 11 hex digits of the SHA-1 of `namespace.pod`. Others compute the same name
 * to find the pod's interface.
 */
export function podInterfaceName(namespace: string, pod: string, prefix = PREFIX): string {
  return prefix + hashHex('sha1', `${namespace}.${pod}`).slice(0, ID_CHARACTERS);
}

/** True for what the kernel takes as an interface's name. */
export function isInterfaceName(name: string): boolean {
  return (
    name !== '' && name !== '.' && name !== '..' && !/[\s/:]/.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES
  );
}
