import { performance } from 'node:perf_hooks';
import { CalicoError } from '../base/errors.js';
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../sys/constants.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { debugMessage, isDebugging } from './debug.js';
import { OverrunError } from './errors.js';
import { type Message, parseMessages } from './message.js';
import { decodeInterfaceAddress, type InterfaceAddress } from './route/address.js';
import {
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELNEIGH,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_LINK,
  RTNLGRP_NEIGH,
} from './route/constants.js';
import { decodeLink, type Link } from './route/link.js';
import { decodeNeighbour, type Neighbour } from './route/neighbour.js';
import { decodeRoute, type Route } from './route/route.js';
import { KernelTransport, type Transport } from './transport.js';

// include/uapi/linux/netfilter/nfnetlink.h
const NFNLGRP_NFTABLES = 7;
const SLICE_MS = 5;

/** Notifications were lost: list everything again. */
export interface OverrunEvent {
  readonly kind: 'overrun';
}

interface Caused {
  /** `set` for new and changed alike. */
  readonly change: 'set' | 'deleted';
  /** The port id of the socket that asked for it (`NetlinkSocket.portId` for our own); 0 when the kernel acted by
   * itself, and for links, where it does not say. */
  readonly causedBy: number;
}

/** A change to what rtnetlink keeps. */
export type RouteChangeEvent =
  | (Caused & { readonly kind: 'link'; readonly link: Link })
  | (Caused & { readonly kind: 'address'; readonly address: InterfaceAddress })
  | (Caused & { readonly kind: 'route'; readonly route: Route })
  | (Caused & { readonly kind: 'neighbour'; readonly neighbour: Neighbour });

export type RouteEvent = RouteChangeEvent | OverrunEvent;

/** A nf_tables notification, undecoded: `nftables` knows its contents. The last of a transaction is NFT_MSG_NEWGEN. */
export interface NftablesMessageEvent {
  readonly kind: 'message';
  readonly message: Message;
}

export type RouteTopic = 'link' | 'address' | 'route' | 'neighbour';

const TOPIC_GROUPS: Readonly<Record<RouteTopic, readonly number[]>> = {
  link: [RTNLGRP_LINK],
  address: [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR],
  route: [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE],
  neighbour: [RTNLGRP_NEIGH],
};

/**
 * A subscription to multicast groups. Events come in runs, in the kernel's order, at most 5 ms of decoding at a time. It keeps the
 * process alive until closed. What happened before it was opened is not told: open first, list then.
 */
export class Monitor<E> {
  readonly #transport: Transport;
  readonly #decode: (message: Message) => E | undefined;
  readonly #listener: (events: readonly (E | OverrunEvent)[]) => void;
  readonly #protocol: number;
  #closed = false;

  constructor(
    transport: Transport,
    options: {
      readonly protocol: number;
      readonly groups: readonly number[];
      readonly decode: (message: Message) => E | undefined;
      readonly listener: (events: readonly (E | OverrunEvent)[]) => void;
    },
  ) {
    this.#transport = transport;
    this.#protocol = options.protocol;
    this.#decode = options.decode;
    this.#listener = options.listener;
    try {
      for (const group of options.groups) transport.join(group);
    } catch (error) {
      transport.close();
      throw error;
    }
    transport.onReadable(() => this.#deliver());
  }

  /** No event is delivered after this. Twice is fine. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Drains until empty or until the slice is used up; the poll, level-triggered, calls again for the rest. */
  #deliver(): void {
    if (this.#closed) return;
    const events: (E | OverrunEvent)[] = [];
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end && this.#receiveInto(events));
    if (events.length > 0) this.#listener(events);
  }

  #receiveInto(events: (E | OverrunEvent)[]): boolean {
    try {
      const datagram = this.#transport.receive();
      if (datagram === undefined) return false;
      for (const message of parseMessages(datagram)) {
        if (isDebugging) debugMessage('<', this.#protocol, message);
        const event = this.#decode(message);
        if (event !== undefined) events.push(event);
      }
    } catch (error) {
      // What cannot be read is as good as lost: the listener lists again either way.
      const isLoss =
        error instanceof OverrunError || (error instanceof CalicoError && error.code === 'ERR_CALI_NETLINK_MALFORMED');
      if (!isLoss) throw error;
      events.push({ kind: 'overrun' });
    }
    return true;
  }
}

/** Undefined for messages that are no event of ours. */
export function decodeRouteEvent(message: Message): RouteChangeEvent | undefined {
  const { type, payload } = message;
  const caused = (deletion: number): Caused => ({
    change: type === deletion ? 'deleted' : 'set',
    causedBy: message.portId,
  });
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return decodeLinkEvent(payload, caused(RTM_DELLINK));
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = decodeInterfaceAddress(payload);
      return address === undefined ? undefined : { kind: 'address', address, ...caused(RTM_DELADDR) };
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const route = decodeRoute(payload);
      return route === undefined ? undefined : { kind: 'route', route, ...caused(RTM_DELROUTE) };
    }
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH: {
      const neighbour = decodeNeighbour(payload);
      return neighbour === undefined ? undefined : { kind: 'neighbour', neighbour, ...caused(RTM_DELNEIGH) };
    }
    default:
      return undefined;
  }
}

function decodeLinkEvent(payload: Buffer, caused: Caused): RouteChangeEvent | undefined {
  // A bridge tells of its ports in the same group with family AF_BRIDGE: the link itself did not change, least of all go.
  if (payload.length > 0 && payload.readUInt8(0) !== 0) return undefined;
  return { kind: 'link', link: decodeLink(payload), ...caused };
}

/**
 * Tells of changes to links, addresses, routes and neighbours.
 * @throws {KernelError} the socket cannot be opened
 * @example using monitor = monitorRoutes({ topics: ['link', 'route'], listener: (events) => … });
 */
export function monitorRoutes(options: {
  readonly topics: readonly RouteTopic[];
  readonly namespace?: NamespaceRef;
  /** How much may wait unread before notifications are lost. Default 8 MiB. */
  readonly receiveQueueBytes?: number;
  readonly listener: (events: readonly RouteEvent[]) => void;
}): Monitor<RouteChangeEvent> {
  const { topics, listener, ...open } = options;
  return new Monitor(KernelTransport.open(NETLINK_ROUTE, open), {
    protocol: NETLINK_ROUTE,
    groups: topics.flatMap((topic) => TOPIC_GROUPS[topic]),
    decode: decodeRouteEvent,
    listener,
  });
}

/** Tells of every committed change to any nf_tables ruleset of the namespace. @throws {KernelError} */
export function monitorNftables(options: {
  readonly namespace?: NamespaceRef;
  /** How much may wait unread before notifications are lost. Default 8 MiB. */
  readonly receiveQueueBytes?: number;
  readonly listener: (events: readonly (NftablesMessageEvent | OverrunEvent)[]) => void;
}): Monitor<NftablesMessageEvent> {
  const { listener, ...open } = options;
  return new Monitor(KernelTransport.open(NETLINK_NETFILTER, open), {
    protocol: NETLINK_NETFILTER,
    groups: [NFNLGRP_NFTABLES],
    decode: (message): NftablesMessageEvent => ({ kind: 'message', message }),
    listener,
  });
}
