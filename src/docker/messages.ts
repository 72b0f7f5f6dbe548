import { CalicoError } from '../base/errors.js';

/** What the engine's users read, behind `Error response from daemon: NetworkDriver.CreateNetwork: `; the words are those people search for. */

function refusal(code: string, message: string): CalicoError {
  return new CalicoError(code, message);
}

export const subPoolRefused = (): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_SUBPOOL',
    "Calico IPAM does not support sub pool configuration on 'docker create network'. " +
      'Calico IP Pools should be configured first and IP assignment is from those pre-configured pools.',
  );

export const ipamOptionsRefused = (): CalicoError =>
  refusal('ERR_CALI_DOCKER_IPAM_OPTION', 'Arbitrary options are not supported');

export const badCidr = (): CalicoError => refusal('ERR_CALI_DOCKER_CIDR', 'Invalid CIDR');

export const noSuchPool = (): CalicoError =>
  refusal('ERR_CALI_DOCKER_POOL', 'The requested subnet must match the CIDR of a configured Calico IP Pool.');

export const subnetIsPool = (cidr: string): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_POOL',
    `The subnet ${cidr} is a Calico IP Pool: to take addresses from it, add --ipam-driver calico; to let Docker give them, choose another subnet.`,
  );

export const gatewayRefused = (): CalicoError =>
  refusal('ERR_CALI_DOCKER_GATEWAY', 'Calico IPAM does not support specifying a gateway.');

export const poolDeleted = (): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_POOL_DELETED',
    'The network references a Calico pool which has been deleted. Please re-instate the Calico pool before using the network.',
  );

export const noAddressLeft = (): CalicoError =>
  refusal('ERR_CALI_DOCKER_NO_ADDRESS', 'There are no available IP addresses in the configured Calico IP pools');

export const addressInUse = (address: string): CalicoError =>
  refusal('ERR_CALI_DOCKER_ADDRESS_IN_USE', `The address ${address} is already in use`);

export const addressElsewhere = ({ address, node }: { readonly address: string; readonly node: string }): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_ADDRESS_IN_USE',
    `The address ${address} is already in use on ${node}: where Docker gives the addresses, create the network with an --ip-range of its own on each host, or add --ipam-driver calico`,
  );

export const addressOutsidePools = (address: string): CalicoError =>
  refusal('ERR_CALI_DOCKER_ADDRESS_OUTSIDE', `The address ${address} is not in one of the configured Calico IP pools`);

/** @param flags as the user wrote them, without the dashes where an option has none */
export function flagsRefused(flags: readonly string[]): CalicoError {
  const list = flags.toSorted().join(', ');
  const what = flags.length === 1 ? `the flag ${list}` : `the flags ${list}`;
  return refusal('ERR_CALI_DOCKER_FLAG', `Calico driver does not support ${what}.`);
}

export const poolOptionsRefused = (flags: readonly string[]): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_FLAG',
    `${flagsRefused(flags).message} With Calico IPAM the pool says it: calicoctl pool add CIDR ${flags.map((flag) => `--${flag}`).join(' ')}`,
  );

export const optionNotBoolean = (name: string, word: string): CalicoError =>
  refusal('ERR_CALI_DOCKER_FLAG', `--opt ${name}=${word}: "${word}" is neither true nor false`);

export const manyGateways = (family: 4 | 6): CalicoError =>
  refusal('ERR_CALI_DOCKER_MANY_POOLS', `Only one IPv${family} subnet is supported on a Calico network`);

/** On an IPv6 subnet that is on the link, containers ask for each other's MAC, and no kernel answers for a whole subnet as proxy ARP does. */
export const ipv6NeedsCalico = (): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_IPV6',
    'containers with IPv6 addresses from Docker would not reach each other: for IPv6 add --ipam-driver calico',
  );

export const noEndpointAddress = (): CalicoError =>
  refusal('ERR_CALI_DOCKER_NO_ADDRESS', 'No address assigned for endpoint');

export const unknownEndpoint = (endpointId: string): CalicoError =>
  refusal('ERR_CALI_DOCKER_ENDPOINT', `endpoint ${endpointId} is not known on this host: create it first`);

/** Docker's way of publishing ports ends at its own bridges, where these containers are not. */
export function publishRefused(ports: readonly { readonly hostPort: number; readonly port: number }[]): CalicoError {
  const list = ports.map(({ hostPort, port }) => `${hostPort === 0 ? '' : `${hostPort}:`}${port}`).join(', ');
  return refusal(
    'ERR_CALI_DOCKER_PUBLISH',
    `cannot publish ${list}: containers of a Calico network have addresses of their own, and Docker's port mapping does not reach them. ` +
      'Run it without -p and connect to the address of the container; or forward a port by hand, on its host: ' +
      'iptables -t nat -A PREROUTING -p tcp --dport HOSTPORT -j DNAT --to-destination ADDRESS:PORT. ' +
      'CALICO_LIBNETWORK_PUBLISHED_PORTS=ignore in the environment of calico-node lets such containers start with nothing published',
  );
}

export const badRequest = (method: string, what: string): CalicoError =>
  refusal('ERR_CALI_DOCKER_REQUEST', `${method}: the request is not as engines write it: ${what}`);

export const unknownMethod = (path: string): CalicoError =>
  refusal('ERR_CALI_DOCKER_METHOD', `there is no ${path} in this plugin`);

export const datastoreSlow = (seconds: number): CalicoError =>
  refusal(
    'ERR_CALI_DOCKER_SLOW',
    `the datastore did not answer within ${seconds} s: try again, and see what ails it with: calicoctl node status`,
  );
