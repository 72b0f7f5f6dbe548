import * as v from 'valibot';

/** What a Docker engine answers, and what of it matters to us. Unset and null both mean "none" there. */

const text = v.nullish(v.string(), '');
const texts = v.nullish(v.array(v.string()), []);
const labels = v.nullish(v.record(v.string(), v.string()), {});

/** A container as `docker inspect` knows it. */
export interface EngineContainer {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  /** 0 when it does not run. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** `none`, `host`, `bridge`, a network's name or `container:ID`. */
  readonly networkMode: string;
  /** Path of its network namespace; empty when it has none. */
  readonly sandboxKey: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it is called on its networks besides its own name; by endpoint id. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

/** A container as `docker ps` knows it. */
export interface EngineContainerSummary {
  readonly id: string;
  /** Without the slash; aliases of links included. */
  readonly names: readonly string[];
  /** `created`, `running`, `exited`, … */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its places on networks; a container that does not run has no endpoint ids and no addresses. */
  readonly places: readonly EnginePlace[];
}

/** Where a container is on a network. */
export interface EnginePlace {
  /** Name of the network. */
  readonly network: string;
  readonly networkId: string;
  readonly endpointId: string;
  /** Bare. */
  readonly addresses: readonly string[];
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly ipamDriver: string;
  /** `global`, `local` or `swarm`. */
  readonly scope: string;
  /** What `--aux-address` keeps from containers; bare. */
  readonly reservedAddresses: readonly string[];
  /** What was given with `--opt`. */
  readonly options: Readonly<Record<string, string>>;
  readonly endpoints: readonly EngineEndpoint[];
}

/** A container's place on a network. */
export interface EngineEndpoint {
  readonly endpointId: string;
  /** Name of the container. */
  readonly name: string;
  /** Undefined while the container starts, and for containers of other hosts. */
  readonly containerId: string | undefined;
}

/** What an engine is part of. */
export interface EngineInfo {
  /** Or becoming it. */
  readonly isInSwarm: boolean;
  /** It shares its networks by a store (up to 22). */
  readonly hasClusterStore: boolean;
}

export interface EngineEvent {
  /** `container`, `network`, `node`, … */
  readonly type: string;
  /** `start`, `die`, `connect`, `rename`, … */
  readonly action: string;
  readonly id: string;
  /** Name, labels, the network's or container's id, depending on the type. */
  readonly attributes: Readonly<Record<string, string>>;
}

function bareName(name: string): string {
  return name.replace(/^\//, '');
}

/** `/containers/ID/json` */
export const container = v.pipe(
  v.object({
    Id: v.string(),
    Name: text,
    State: v.object({ Pid: v.optional(v.number(), 0), Running: v.optional(v.boolean(), false) }),
    HostConfig: v.nullish(v.object({ NetworkMode: text }), { NetworkMode: '' }),
    NetworkSettings: v.nullish(
      v.object({
        SandboxKey: text,
        Networks: v.nullish(v.record(v.string(), v.object({ EndpointID: text, Aliases: texts, DNSNames: texts })), {}),
      }),
      { SandboxKey: '', Networks: {} },
    ),
    Config: v.nullish(v.object({ Labels: labels }), { Labels: {} }),
  }),
  v.transform(({ Id, Name, State, HostConfig, NetworkSettings, Config }): EngineContainer => ({
    id: Id,
    name: bareName(Name),
    pid: State.Pid,
    isRunning: State.Running,
    networkMode: HostConfig.NetworkMode,
    sandboxKey: NetworkSettings.SandboxKey,
    labels: Config.Labels,
    aliases: Object.fromEntries(
      Object.values(NetworkSettings.Networks).map(({ EndpointID, Aliases, DNSNames }) => [
        EndpointID,
        [...new Set([...Aliases, ...DNSNames])],
      ]),
    ),
  })),
);

const place = v.object({ NetworkID: text, EndpointID: text, IPAddress: text, GlobalIPv6Address: text });

/** `/containers/json` */
export const containers = v.array(
  v.pipe(
    v.object({
      Id: v.string(),
      Names: texts,
      State: text,
      Labels: labels,
      NetworkSettings: v.nullish(v.object({ Networks: v.nullish(v.record(v.string(), place), {}) }), { Networks: {} }),
    }),
    v.transform(({ Id, Names, State, Labels, NetworkSettings }): EngineContainerSummary => ({
      id: Id,
      names: Names.map(bareName),
      state: State,
      labels: Labels,
      places: Object.entries(NetworkSettings.Networks).map(
        ([network, { NetworkID, EndpointID, IPAddress, GlobalIPv6Address }]) => ({
          network,
          networkId: NetworkID,
          endpointId: EndpointID,
          addresses: [IPAddress, GlobalIPv6Address].filter((address) => address !== ''),
        }),
      ),
    })),
  ),
);

/** Where one that has no container yet, or none here, is listed. */
const NO_CONTAINER = /^ep-/;

/** `/networks/ID` */
export const network = v.pipe(
  v.object({
    Id: v.string(),
    Name: v.string(),
    Driver: text,
    Scope: text,
    IPAM: v.nullish(
      v.object({ Driver: text, Config: v.nullish(v.array(v.object({ AuxiliaryAddresses: labels })), []) }),
      { Driver: '', Config: [] },
    ),
    Options: labels,
    Containers: v.nullish(v.record(v.string(), v.object({ Name: text, EndpointID: text })), {}),
  }),
  v.transform(({ Id, Name, Driver, Scope, IPAM, Options, Containers }): EngineNetwork => ({
    id: Id,
    name: Name,
    driver: Driver,
    ipamDriver: IPAM.Driver,
    scope: Scope,
    reservedAddresses: IPAM.Config.flatMap(({ AuxiliaryAddresses }) => Object.values(AuxiliaryAddresses)),
    options: Options,
    endpoints: Object.entries(Containers).map(([key, { Name: name, EndpointID }]) => ({
      endpointId: EndpointID === '' ? key.replace(NO_CONTAINER, '') : EndpointID,
      name,
      containerId: NO_CONTAINER.test(key) ? undefined : key,
    })),
  })),
);

/** `/networks` */
export const networks = v.array(network);

/** `/version` */
export const version = v.pipe(
  v.object({ Version: v.string(), ApiVersion: text }),
  v.transform(({ Version, ApiVersion }) => ({ version: Version, apiVersion: ApiVersion })),
);

/** `/info` */
export const info = v.pipe(
  v.object({ ClusterStore: text, Swarm: v.nullish(v.object({ LocalNodeState: text }), { LocalNodeState: '' }) }),
  v.transform(({ ClusterStore, Swarm: { LocalNodeState: state } }): EngineInfo => ({
    isInSwarm: state !== '' && state !== 'inactive',
    hasClusterStore: ClusterStore !== '',
  })),
);

/** A line of `/events` */
export const event = v.pipe(
  v.object({
    Type: text,
    Action: text,
    Actor: v.nullish(v.object({ ID: text, Attributes: labels }), { ID: '', Attributes: {} }),
  }),
  v.transform(({ Type, Action, Actor }): EngineEvent => ({
    type: Type,
    action: Action,
    id: Actor.ID,
    attributes: Actor.Attributes,
  })),
);
