import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/net/address.js';
import { deleteFlowsOf, listFlows } from '../../../src/netlink/conntrack/flow.js';
import { NetlinkSocket } from '../../../src/netlink/socket.js';
import { NETLINK_NETFILTER } from '../../../src/sys/constants.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

test('the flows an address began or answers are forgotten, the others stay', async () => {
  using namespace = NetworkNamespace.create();
  using socket = NetlinkSocket.open(NETLINK_NETFILTER, { namespace });
  const track = (source: string, destination: string, ...more: readonly string[]): unknown =>
    namespace.run(() =>
      execFileSync(
        'conntrack',
        ['-I', '-p', 'udp', '-s', source, '-d', destination, '--sport', '1000', '--dport', '53', '-t', '600', ...more],
        { stdio: 'pipe' },
      ),
    );
  track('192.0.2.7', '198.51.100.1');
  track('198.51.100.1', '192.0.2.7');
  const ports = ['--reply-port-src', '53', '--reply-port-dst', '1000'];
  // A client that reached 192.0.2.7 by another address: the flow's answers come from it.
  track('198.51.100.3', '203.0.113.1', '--reply-src', '192.0.2.7', '--reply-dst', '198.51.100.3', ...ports);
  track('198.51.100.1', '198.51.100.2');
  track('2001:db8::7', '2001:db8::1');
  track('2001:db8::2', '2001:db8::1');
  expect(await listFlows(socket, 4)).toHaveLength(4);
  expect((await listFlows(socket, 6))[0]?.original).toMatchObject({
    protocol: 17,
    sourcePort: 1000,
    destinationPort: 53,
  });

  expect(await deleteFlowsOf(socket, [parseAddress('192.0.2.7'), parseAddress('2001:db8::7')])).toBe(4);

  const left = [...(await listFlows(socket, 4)), ...(await listFlows(socket, 6))];
  expect(left.map(({ original }) => formatAddress(original.source))).toEqual(['198.51.100.1', '2001:db8::2']);
  expect(await deleteFlowsOf(socket, [parseAddress('192.0.2.7')])).toBe(0);
});
