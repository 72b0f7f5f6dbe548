import {
  type NftablesMessageEvent,
  type OverrunEvent,
  type RouteEvent,
  monitorNftables,
  monitorRoutes,
} from '../netlink/monitor.js';
import { decodeNftEvent } from '../nftables/events.js';
import type { TableId } from '../nftables/objects.js';
import type { NetworkNamespace } from '../sys/namespace.js';

type NftablesEvents = readonly (NftablesMessageEvent | OverrunEvent)[];

/** What the kernel tells of changes that were not ours. */
export interface DriftListener {
  onRouteEvents(events: readonly RouteEvent[]): void;
  /** Somebody else committed a change to one of the tables; `undefined`: notifications were lost, it may be any. */
  onTablesChanged(tables: readonly TableId[] | undefined): void;
}

export interface DriftSource {
  readonly namespace: NetworkNamespace;
  /** Of the sockets through which we make changes ourselves. */
  readonly routePortId: number;
  readonly nftablesPortId: number;
}

/** Subscriptions that tell the listener of foreign changes until closed. */
export interface DriftWatch {
  close(): void;
}

/** Opens the subscriptions; list afterwards, or what happened before is not told. @throws {KernelError} */
export function watchDrift(source: DriftSource, listener: DriftListener): DriftWatch {
  const { namespace, routePortId, nftablesPortId } = source;
  const routes = monitorRoutes({
    topics: ['link', 'route'],
    namespace,
    listener: (events) => {
      const foreign = events.filter((event) => event.kind !== 'route' || event.causedBy !== routePortId);
      if (foreign.length > 0) listener.onRouteEvents(foreign);
    },
  });
  const onNftables = (events: NftablesEvents): void => {
    const tables = foreignTables(events, nftablesPortId);
    if (tables === undefined || tables.length > 0) listener.onTablesChanged(tables);
  };
  let nftables: DriftWatch;
  try {
    nftables = monitorNftables({ namespace, listener: onNftables });
  } catch (error) {
    routes.close();
    throw error;
  }
  return {
    close: () => {
      routes.close();
      nftables.close();
    },
  };
}

function foreignTables(events: NftablesEvents, ownPortId: number): readonly TableId[] | undefined {
  const tables = new Map<string, TableId>();
  for (const event of events) {
    if (isOverrun(event)) return undefined;
    const decoded = decodeNftEvent(event.message);
    if (decoded === undefined || decoded.kind === 'commit' || decoded.portId === ownPortId) continue;
    tables.set(`${decoded.table.family} ${decoded.table.name}`, decoded.table);
  }
  return [...tables.values()];
}

function isOverrun(event: { readonly kind: string }): event is OverrunEvent {
  return event.kind === 'overrun';
}
