import { type EndpointIdentity, endpointPath, escapedPart } from '../api/felix-status-names.js';
import { hashHex } from '../base/hash.js';

/** Longest name of a file on the file systems of Linux, in bytes. */
const LONGEST_NAME = 255;

/** Names of the files of a host's endpoints begin so; several hosts of a test may share a folder. */
export function statusFilePrefix(host: string): string {
  return escapedPart(`/calico/v1/host/${host}/`);
}

/** The endpoint's key as a file name. One that is too long ends in a hash. */
export function statusFileName(host: string, identity: EndpointIdentity): string {
  const name = `${statusFilePrefix(host)}${escapedPart(endpointPath(identity))}`;
  const hash = hashHex('sha256', name);
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - hash.length - 1)}-${hash}`;
}
