import * as v from 'valibot';

// Version 1 of the local API; docs/local-api.md describes it and what may change in it.

/** Where `calico-node` listens. Root and its group may connect. */
export const LOCAL_API_SOCKET = '/var/run/calico/calico.sock';

const condition = v.object({
  code: v.string(),
  subject: v.optional(v.string()),
  severity: v.picklist(['error', 'warning', 'info']),
  text: v.string(),
  hint: v.optional(v.string()),
  since: v.string(),
});

const peer = v.object({
  address: v.string(),
  family: v.picklist([4, 6]),
  /** `node-to-node mesh`, `node specific`, `global`. */
  type: v.string(),
  /** BIRD's word: `up`, `start`, `down`. */
  state: v.string(),
  since: v.string(),
  /** `Established`, `Connect`, … and what BIRD adds. */
  info: v.string(),
});

/** Answer of `GET /v1/status`. */
export const nodeStatus = v.object({
  node: v.string(),
  version: v.string(),
  pid: v.number(),
  /** It runs in a container of its own. */
  isContainer: v.optional(v.boolean(), false),
  /** RFC 3339. */
  startedAt: v.string(),
  datastore: v.object({
    /** `etcd at https://192.0.2.10:2379`. */
    description: v.string(),
    /** The host's own etcd: no other host shares it. */
    isSingleHost: v.boolean(),
    /** `waiting`, `listing`, `in-sync`, `resyncing`. */
    status: v.string(),
  }),
  felix: v.object({
    isRunning: v.boolean(),
    /** The newest change of the datastore that was taken in. */
    revision: v.string(),
    /** The kernel was brought in line at least once. */
    isProgrammed: v.boolean(),
    lastError: v.optional(v.string()),
  }),
  bgp: v.object({
    backend: v.string(),
    isRunning: v.boolean(),
    hasIpv4: v.boolean(),
    hasIpv6: v.boolean(),
    peers: v.array(peer),
    /** This host's own, as it tells its peers; left out until there is a plan for BGP. */
    asNumber: v.optional(v.number()),
    ipv4Address: v.optional(v.string()),
    ipv6Address: v.optional(v.string()),
  }),
  conditions: v.array(condition),
  /** What this kernel can do; empty until it has been tried. */
  features: v.array(v.object({ name: v.string(), outcome: v.picklist(['yes', 'no', 'unknown']), lost: v.string() })),
});
export type NodeStatus = v.InferOutput<typeof nodeStatus>;
export type BgpPeerStatus = v.InferOutput<typeof peer>;

/** Answer of `GET /v1/health`; HTTP status 503 when it is not ready. */
export const nodeHealth = v.object({ isLive: v.boolean(), isReady: v.boolean(), table: v.string() });
export type NodeHealth = v.InferOutput<typeof nodeHealth>;

const text = v.pipe(v.string(), v.nonEmpty('is empty'));

/** Path of a network namespace, or the id of a process in it; absolute, as `calico-node` sees it. */
const netns = v.union(
  [v.pipe(v.number(), v.integer(), v.minValue(1)), v.pipe(v.string(), v.startsWith('/', 'is not an absolute path'))],
  'is not an absolute path or a process id',
);
/** How many addresses of a family to assign. */
const amount = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(16));

/** Body of `POST /v1/workloads`: connect a network namespace to this host. */
export const attachRequest = v.strictObject({
  netns,
  /** Default `cni`. */
  orchestrator: v.optional(text, 'cni'),
  /** Identifies the workload on this host; with `cni` the container's id. */
  workload: text,
  /** Default `eth0`: name of the endpoint, and of the interface inside. */
  endpoint: v.optional(text, 'eth0'),
  /** Default `default`. */
  namespace: v.optional(text, 'default'),
  labels: v.optional(v.record(v.string(), v.string()), {}),
  profiles: v.optional(v.array(v.string()), []),
  /** Exactly these; assigned from the pools when left out. */
  addresses: v.optional(v.array(text)),
  /** How many to assign of each family. Default one IPv4 address. */
  ipv4: v.optional(amount, 1),
  ipv6: v.optional(amount, 0),
  /** Names or CIDRs of pools to assign from; any when left out. */
  pools: v.optional(v.array(text), []),
  /** Derived from workload and endpoint when left out. */
  interfaceName: v.optional(text),
  mac: v.optional(text),
  mtu: v.optional(v.pipe(v.number(), v.integer(), v.minValue(576), v.maxValue(65_535))),
});
export type AttachRequest = v.InferInput<typeof attachRequest>;
export type CompleteAttachRequest = v.InferOutput<typeof attachRequest>;

/** Answer of `POST /v1/workloads`. */
export const attachedWorkload = v.object({
  /** Name and namespace of the WorkloadEndpoint. */
  name: v.string(),
  namespace: v.string(),
  interfaceName: v.string(),
  /** Each with /32 or /128. */
  addresses: v.array(v.string()),
  mac: v.string(),
  hostMac: v.string(),
});
export type AttachedWorkload = v.InferOutput<typeof attachedWorkload>;

/** A workload of this host: one of `GET /v1/workloads`, and the answer for it alone. */
export const workload = v.object({
  name: v.string(),
  namespace: v.string(),
  orchestrator: v.string(),
  /** What the orchestrator calls it: with `cni` the container's id. */
  workload: v.string(),
  /** The interface inside. */
  endpoint: v.string(),
  /** The host's end. */
  interfaceName: v.string(),
  /** Each with /32 or /128. */
  addresses: v.array(v.string()),
  mac: v.optional(v.string()),
  labels: v.record(v.string(), v.string()),
  profiles: v.array(v.string()),
  /** `up`: its interface carries packets and its rules and routes are in the kernel. `unknown`: the agent has not looked at it yet. */
  state: v.picklist(['up', 'down', 'unknown']),
});
export type Workload = v.InferOutput<typeof workload>;

/** Answer of `GET /v1/workloads`, by namespace and name. */
export const workloadList = v.object({ workloads: v.array(workload) });
export type WorkloadList = v.InferOutput<typeof workloadList>;

/** Body of `POST /v1/workloads/{namespace}/{name}/addresses`; the answer is the workload. */
export const addressesRequest = v.strictObject({
  netns,
  /** Exactly these; assigned from the pools when left out. */
  addresses: v.optional(v.pipe(v.array(text), v.nonEmpty('is empty'))),
  ipv4: v.optional(amount, 1),
  ipv6: v.optional(amount, 0),
  pools: v.optional(v.array(text), []),
});
export type AddressesRequest = v.InferInput<typeof addressesRequest>;
export type CompleteAddressesRequest = v.InferOutput<typeof addressesRequest>;

/** Body of `DELETE /v1/workloads/{namespace}/{name}/addresses/{address}`; the answer is the workload. */
export const removalRequest = v.strictObject({ netns });
export type RemovalRequest = v.InferOutput<typeof removalRequest>;

/** Answer of `DELETE /v1/workloads/{namespace}/{name}`. */
export const detachedWorkload = v.object({
  /** False when there was no such workload: asking twice is fine. */
  wasAttached: v.boolean(),
});
export type DetachedWorkload = v.InferOutput<typeof detachedWorkload>;

/** Body of every answer that is no success. */
export const failure = v.object({
  code: v.string(),
  message: v.string(),
  hint: v.optional(v.string()),
});
