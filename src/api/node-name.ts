import { CalicoError, visibleText } from '../base/errors.js';

/** Where start-up keeps the node's name for every other program of this host. `CALICO_NODENAME_FILE` names another. */
export const NODE_NAME_FILE = '/var/lib/calico/nodename';

export interface NameSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of the name file; undefined when there is none. */
  readonly fileText: string | undefined;
  readonly osName: string;
}

/**
 * Name of the Node resource that is this host: `NODENAME` as it is, then the name file, then `HOSTNAME`, then the system's host
 * name, these two in lower case.
 *
 * @throws {CalicoError} `ERR_CALI_NODE_NAME` there is none, or one that a path or a configuration could not hold
 */
export function chooseNodeName({ environment, fileText, osName }: NameSources): string {
  const candidates = [
    environment['NODENAME'],
    fileText,
    environment['HOSTNAME']?.toLowerCase(),
    osName.toLowerCase(),
  ].map((candidate) => candidate?.trim());
  const name = candidates.find((candidate) => candidate !== undefined && candidate !== '');
  if (name === undefined) {
    throw new CalicoError('ERR_CALI_NODE_NAME', 'this host has no name', { hint: 'set NODENAME' });
  }
  if (!/^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/i.test(name)) {
    throw new CalicoError('ERR_CALI_NODE_NAME', `"${visibleText(name)}" cannot be the name of a node`, {
      hint: 'set NODENAME to letters, digits, "-" and ".", at most 253',
    });
  }
  return name;
}
