import { describe, expect, test } from 'vitest';
import { LocalApiClient } from '../../localapi/client.js';
import { HEALTHY_NODE } from '../../localapi/node-status.fake.js';
import type { NodeStatus } from '../../localapi/protocol.js';
import { formatUptime, oldStatus, readOldStatus } from './old-status.js';
import { formatBlock } from '../printer.js';

const status: NodeStatus = {
  ...HEALTHY_NODE,
  isContainer: true,
  bgp: {
    ...HEALTHY_NODE.bgp,
    asNumber: 64_511,
    ipv4Address: '192.0.2.1',
    peers: [{ address: '192.0.2.2', family: 4, type: 'global', state: 'up', since: '2026-01-01', info: 'Established' }],
  },
};

describe('oldStatus()', () => {
  test('says what the first era said', () => {
    const { output = [] } = oldStatus(status, { now: new Date('2026-01-01T00:00:05Z'), isAsNumberInherited: true });
    expect(output.map(formatBlock).join('')).toBe(`calico-node container is running. Status: Up 5 seconds
Running felix version 0.1.0

IPv4 BGP status
IP: 192.0.2.1    AS Number: 64511 (inherited)
+--------------+-----------+-------+------------+-------------+
| Peer address | Peer type | State |   Since    |    Info     |
+--------------+-----------+-------+------------+-------------+
|  192.0.2.2   |  global   |  up   | 2026-01-01 | Established |
+--------------+-----------+-------+------------+-------------+

No IPv6 address configured.

`);
  });

  test('says when nothing runs', async () => {
    const { errors } = await readOldStatus(() => Promise.resolve(true), new LocalApiClient('/nonexistent/calico.sock'));
    expect(errors?.[0]).toBe('calico-node container is not running.');
  });
});

describe('formatUptime()', () => {
  test.each([
    [500, 'Less than a second'],
    [5_000, '5 seconds'],
    [61_000, 'About a minute'],
    [180_000, '3 minutes'],
    [3_600_000, 'About an hour'],
    [100_000_000, '27 hours'],
    [864_000_000, '10 days'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatUptime(ms)).toBe(text);
  });
});
