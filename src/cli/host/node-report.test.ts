import { describe, expect, test } from 'vitest';
import { LocalApiClient } from '../../localapi/client.js';
import { HEALTHY_NODE } from '../../localapi/node-status.fake.js';
import type { NodeStatus } from '../../localapi/protocol.js';
import { bareReport, nodeReport, readNodeReport } from './node-report.js';
import { formatBlock } from '../printer.js';

const status: NodeStatus = {
  ...HEALTHY_NODE,
  datastore: { description: 'etcd at unix:///run/calico/etcd.sock', isSingleHost: true, status: 'in-sync' },
  bgp: {
    ...HEALTHY_NODE.bgp,
    peers: [
      {
        address: '192.0.2.2',
        family: 4,
        type: 'node-to-node mesh',
        state: 'up',
        since: '2026-01-01 12:00:01',
        info: 'Established',
      },
    ],
  },
  conditions: [
    { code: 'single-host-datastore', severity: 'info', text: 'single-host datastore', hint: 'share one', since: '' },
  ],
  features: [
    { name: 'ipip', outcome: 'no', lost: 'no tunnels' },
    { name: 'vxlan', outcome: 'yes', lost: 'no tunnels' },
  ],
};

function print(report: NodeStatus, now = new Date(2026, 0, 1, 18)): string[] {
  const blocks = nodeReport(report, now).output ?? [];
  return blocks.map(formatBlock).join('').trimEnd().split('\n');
}

describe('nodeReport()', () => {
  test('shows peers by family, then datastore, kernel and conditions', () => {
    expect(print(status)).toEqual([
      'Calico process is running.',
      '',
      'IPv4 BGP status',
      '+--------------+-------------------+-------+----------+-------------+',
      '| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |',
      '+--------------+-------------------+-------+----------+-------------+',
      '| 192.0.2.2    | node-to-node mesh | up    | 12:00:01 | Established |',
      '+--------------+-------------------+-------+----------+-------------+',
      '',
      'IPv6 BGP status',
      'No IPv6 peers found.',
      '',
      'Node calico-01, calico-node v0.1.0',
      'Datastore: etcd at unix:///run/calico/etcd.sock, in-sync at revision 41; the kernel is programmed',
      'Not in this kernel: ipip',
      'info: single-host datastore',
      '  hint: share one',
    ]);
  });

  test('shows the date of sessions that are older than today', () => {
    expect(print(status, new Date(2026, 0, 2))[6]).toContain('| 2026-01-01 |');
  });

  test('says when BIRD does not run', () => {
    expect(print({ ...status, bgp: { ...status.bgp, isRunning: false } })).toContain(
      'The BGP backend process (BIRD) is not running.',
    );
  });

  test('says when BGP is off, and why', () => {
    const off = { ...status, bgp: { ...status.bgp, backend: 'none', isRunning: false, peers: [] } };
    expect(print(off)).toContain('BGP is off: CALICO_NETWORKING_BACKEND=none');
  });

  test('shows what an agent without calico-node leaves to see', () => {
    const agent = { pid: 7, words: ['/usr/bin/node', '/usr/bin/calico-felix'] };
    const { output = [] } = bareReport({ isRunning: true, lacksBird6: true, peers: [] }, agent);
    expect(output.map(formatBlock).join('')).toBe(`Calico process is running.

IPv4 BGP status
No IPv4 peers found.

IPv6 BGP status
No IPv6 peers found.
INFO: BIRDv6 process: 'bird6' is not running.

Agent: /usr/bin/node /usr/bin/calico-felix (pid 7); no calico-node answers on /var/run/calico/calico.sock
`);
  });

  test('says when nothing runs', async () => {
    const { errors } = await readNodeReport(new LocalApiClient('/nonexistent/calico.sock'), () => Promise.resolve([]));
    expect(errors?.[0]).toBe('Calico process is not running.');
  });
});
