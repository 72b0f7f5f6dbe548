import { describe, expect, test } from 'vitest';
import { peerStatus } from './peer-status.js';

const protocol = (name: string) => ({ name, type: 'BGP', state: 'up', since: '12:00:01', info: 'Established' });

describe('peerStatus()', () => {
  test.each([
    ['Mesh_192_0_2_2', { address: '192.0.2.2', family: 4, type: 'node-to-node mesh' }],
    ['Global_198_51_100_1', { address: '198.51.100.1', family: 4, type: 'global' }],
    ['Node_2001_db8__7', { address: '2001:db8::7', family: 6, type: 'node specific' }],
  ])('reads %s', (name, peer) => {
    expect(peerStatus(protocol(name), undefined)).toMatchObject(peer);
  });

  test('takes the address from the plan where it knows the peer', () => {
    const peer = {
      name: 'Node_192_0_2_2_p',
      address: '192.0.2.2',
      localAsNumber: 64512,
      asNumber: 64513,
      passive: false,
      nextHop: 'auto' as const,
    };
    const plan = {
      routerId: '192.0.2.1',
      asNumber: 64512,
      debug: 'none' as const,
      peers: [peer],
      blocks: [],
      pools: [],
    };
    expect(peerStatus(protocol(peer.name), plan)).toMatchObject({ address: '192.0.2.2', family: 4 });
  });

  test('leaves out what is no peer', () => {
    expect(peerStatus(protocol('kernel4'), undefined)).toBeUndefined();
  });
});
