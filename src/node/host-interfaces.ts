import { createSocket } from 'node:dgram';
import { formatAddress, tryParseAddress } from '../net/address.js';
import type { Family } from '../net/address.js';
import { listInterfaceAddresses } from '../netlink/route/address.js';
import { listLinks } from '../netlink/route/link.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { NETLINK_ROUTE } from '../sys/constants.js';
import type { HostInterface } from './address-choice.js';

/** All interfaces of this host with their addresses, in the kernel's order. @throws {NetlinkError} */
export async function readHostInterfaces(): Promise<readonly HostInterface[]> {
  using socket = NetlinkSocket.open(NETLINK_ROUTE);
  const links = await listLinks(socket);
  const addresses = await listInterfaceAddresses(socket);
  return links
    .toSorted((a, b) => a.index - b.index)
    .map(({ index, name }) => ({
      name,
      addresses: addresses.filter(({ interfaceIndex }) => interfaceIndex === index).map(({ prefix }) => prefix),
    }));
}

/**
 * The address this host would send from to reach another; nothing is sent (but a name is looked up).
 *
 * @returns undefined when there is no way there, or no such name
 */
export async function sourceAddressTo(host: string, family: Family): Promise<string | undefined> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  try {
    return await new Promise((resolve) => {
      const give = (text: string | undefined): void => {
        const address = text === undefined ? undefined : tryParseAddress(text);
        resolve(address === undefined ? undefined : formatAddress(address));
      };
      socket.once('error', () => give(undefined));
      // Where there is no such name or way, the callback is told; 'error' is not emitted then.
      socket.connect(80, host, (error?: Error) => give(error ? undefined : socket.address().address));
    });
  } finally {
    socket.close();
  }
}
