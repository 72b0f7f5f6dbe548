import { describe, expect, test } from 'vitest';
import { KernelError } from '../base/errors.js';
import { decodeRouteEvent, Monitor, type RouteEvent } from './monitor.js';
import { encodeRoute } from './route/route.js';
import { RTM_DELROUTE, RTM_NEWROUTE } from './route/constants.js';
import { AttributeWriter } from './attributes.js';
import { parsePrefix } from '../net/prefix.js';
import { FakeTransport, messageBytes } from './transport.fake.js';

function monitorOn(transport: FakeTransport) {
  const batches: (readonly RouteEvent[])[] = [];
  const monitor = new Monitor(transport, {
    protocol: 0,
    groups: [7, 11],
    decode: decodeRouteEvent,
    listener: (events) => batches.push(events),
  });
  return { monitor, batches };
}

function routeBytes(type: number, text: string): Buffer {
  const writer = new AttributeWriter();
  encodeRoute(writer, { destination: parsePrefix(text), type: 'blackhole' });
  return messageBytes({ type }, writer.bytes());
}

describe('Monitor', () => {
  test('joins its groups and tells in runs, in order', () => {
    const transport = new FakeTransport(() => []);
    const { batches } = monitorOn(transport);
    transport.deliver(routeBytes(RTM_NEWROUTE, '192.0.2.0/24'), routeBytes(RTM_DELROUTE, '192.0.2.0/24'));
    expect(transport.groups).toEqual([7, 11]);
    expect(
      batches.map((events) => events.map((event) => (event.kind === 'route' ? event.change : event.kind))),
    ).toEqual([['set', 'deleted']]);
  });

  test('what was lost, or cannot be read, is an overrun', () => {
    const transport = new FakeTransport(() => []);
    const { batches } = monitorOn(transport);
    transport.deliver(
      'overrun',
      messageBytes({ type: RTM_NEWROUTE }, Buffer.alloc(3)),
      routeBytes(RTM_NEWROUTE, '192.0.2.0/24'),
    );
    expect(batches.flat().map(({ kind }) => kind)).toEqual(['overrun', 'overrun', 'route']);
  });

  test('is silent about messages that are no event, and after it was closed', () => {
    const transport = new FakeTransport(() => []);
    const { monitor, batches } = monitorOn(transport);
    transport.deliver(messageBytes({ type: 77 }, Buffer.alloc(0)));
    monitor.close();
    monitor.close();
    transport.deliver(routeBytes(RTM_NEWROUTE, '192.0.2.0/24'));
    expect(batches).toEqual([]);
  });

  test('closes the socket when a group cannot be joined', () => {
    const transport = new FakeTransport(() => []);
    transport.join = () => {
      throw new KernelError({ operation: 'join netlink group 7', errno: 1, errnoName: 'EPERM' });
    };
    expect(() => monitorOn(transport)).toThrowError('cannot join netlink group 7: EPERM');
    expect(transport.isClosed).toBe(true);
  });
});
