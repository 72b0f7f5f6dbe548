import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BirdReplyParser,
  type BirdReply,
  type BirdRoute,
  readProtocols,
  readRoutes,
  readStatus,
} from './bird-replies.js';

function only(text: string): BirdReply {
  const [reply, ...more] = new BirdReplyParser().push(text);
  if (reply === undefined || more.length > 0) throw new Error(`${more.length + 1} replies`);
  return reply;
}

function printRoute({ table, destination, type, protocol, isBest, hops }: BirdRoute): string {
  const paths = hops.flatMap(({ gateway = '-', device }) => [gateway, device]);
  return [table, destination, type, protocol, ...(isBest ? ['*'] : []), ...paths].join(' ');
}

describe('BirdReplyParser', () => {
  test('keeps the code of lines that carry none, and leaves out log output', () => {
    const text =
      '1002-device1 Device\n kernel4 Kernel\n+bird: something happened\n1006-  BGP state\n     Neighbor\n0000 \n';
    expect(only(text).lines).toEqual([
      { code: 1002, text: 'device1 Device' },
      { code: 1002, text: 'kernel4 Kernel' },
      { code: 1006, text: '  BGP state' },
      { code: 1006, text: '    Neighbor' },
      { code: 0, text: '' },
    ]);
  });

  test('says the same however the text is cut', () => {
    const text =
      '0001 BIRD 2.0.12 ready.\n1000-BIRD 2.0.12\n1011-Router ID is 192.0.2.1\n0013 Daemon is up and running\n';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const parser = new BirdReplyParser();
        const ends = [...new Set([...cuts, text.length])].toSorted((a, b) => a - b);
        const pieces = ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
        expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(new BirdReplyParser().push(text));
      }),
    );
  });

  test('survives random bytes, and so do the readers', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString()),
      fc.constantFrom('\n', '1007-', '1002-', ' ', '\t', 'Table x:', '192.0.2.0/24 unicast [a b] *', '0000 \n', '+'),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 20 }), (pieces) => {
        const parser = new BirdReplyParser();
        const replies = pieces.flatMap((piece) => parser.push(piece));
        for (const reply of replies) {
          readStatus(reply);
          readProtocols(reply);
          readRoutes(reply);
        }
        expect(replies.every(({ lines, code }) => lines.at(-1)?.code === code)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('readers of replies', () => {
  test('read the status, also while BIRD recovers', () => {
    const lines = [
      '1000-BIRD 2.0.12',
      '1011-Router ID is 192.0.2.1',
      ' Hostname is calico-01',
      ' Last reboot on 2026-01-01 12:43:36.687',
      ' Last reconfiguration on 2026-01-01 12:43:37.001',
    ];
    const status = {
      version: '2.0.12',
      routerId: '192.0.2.1',
      lastReboot: '2026-01-01 12:43:36.687',
      lastReconfiguration: '2026-01-01 12:43:37.001',
    };
    const up = '0013 Daemon is up and running\n';
    expect(readStatus(only([...lines, up].join('\n')))).toEqual({ ...status, isRecovering: false });
    const recovering = '0024-Graceful restart recovery in progress';
    expect(readStatus(only([...lines, recovering, up].join('\n')))).toEqual({ ...status, isRecovering: true });
  });

  test('read protocols with what they say of themselves', () => {
    const text = [
      '2002-Name       Proto      Table      State  Since         Info',
      '1002-device1    Device     ---        up     2026-01-01 12:43:36  ',
      ' Mesh_192_0_2_2 BGP        ---        up     2026-01-01 12:43:37  Established   ',
      ' Node_x BGP        ---        start  12:43:37.590  Active        Socket: Connection refused',
      '0000 \n',
    ].join('\n');
    expect(
      readProtocols(only(text)).map(({ name, type, state, since, info }) => [name, type, state, since, info]),
    ).toEqual([
      ['device1', 'Device', 'up', '2026-01-01 12:43:36', ''],
      ['Mesh_192_0_2_2', 'BGP', 'up', '2026-01-01 12:43:37', 'Established'],
      ['Node_x', 'BGP', 'start', '12:43:37.590', 'Active        Socket: Connection refused'],
    ]);
  });

  test('read routes of both tables, with all their paths', () => {
    const text = [
      '1007-Table master4:',
      ' 192.168.0.0/26       blackhole [blocks4 12:43:36.687] * (200)',
      '                      unicast [Mesh_192_0_2_2 12:43:37.590 from 192.0.2.2] (100) [i]',
      ' \tvia 192.0.2.2 on eth0 weight 1',
      ' \tvia 192.0.2.3 on eth1 weight 1',
      ' ',
      ' Table master6:',
      ' 2001:db8::/64        unicast [direct1 12:43:36.688] * (240)',
      ' \tdev eth0',
      '0000 \n',
    ].join('\n');
    expect(readRoutes(only(text)).map(printRoute)).toEqual([
      'master4 192.168.0.0/26 blackhole blocks4 *',
      'master4 192.168.0.0/26 unicast Mesh_192_0_2_2 192.0.2.2 eth0 192.0.2.3 eth1',
      'master6 2001:db8::/64 unicast direct1 * - eth0',
    ]);
  });
});
