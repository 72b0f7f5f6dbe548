import type { WorkloadEndpoint } from '../src/api/kinds/workload-endpoint.js';
import { workloadEndpointName } from '../src/api/names.js';
import { CalicoError } from '../src/base/errors.js';
import { Client } from '../src/client/client.js';
import { EtcdDatastore } from '../src/datastore/etcd/etcd-datastore.js';
import { Ipam } from '../src/ipam/ipam.js';
import { containerId, hostInterfaceName } from './attachment.js';
import type { HostProcess } from './host.js';
import type { Lab } from './lab.js';
import { ipBatch } from './namespaces.js';
import { until } from './processes.js';
import type { LabWorkload } from './workload.js';

export interface EndpointOptions {
  readonly profiles?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  /** Given addresses; without, one of each family that has a pool is assigned. */
  readonly addresses?: readonly string[];
  /** From which pools, by name or CIDR; any that fit unless given. */
  readonly pools?: readonly string[];
}

/** What of a cluster stands on a lab with an etcd: hosts that run our programs, workloads that the store knows. */
export class LabCluster {
  readonly lab: Lab;
  readonly datastore: EtcdDatastore;
  readonly client: Client;
  readonly ipam: Ipam;
  readonly #endpoints = new Map<
    string,
    { readonly namespace: string; readonly name: string; readonly handleId: string }
  >();

  constructor(lab: Lab) {
    this.lab = lab;
    this.datastore = new EtcdDatastore({ endpoints: [`unix://${lab.etcdSocket}`] });
    this.client = new Client(this.datastore);
    this.ipam = new Ipam(this.datastore);
  }

  /** Starts `calico-node` (or another of our daemons) on a host, its words in /var/log/calico/PROGRAM.log; returns when it runs. */
  startNode(
    hostName: string,
    options: { readonly program?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<HostProcess> {
    const program = options.program ?? process.env['CALICO_LAB_PROGRAM'] ?? 'calico-node';
    return this.lab.host(hostName).spawn([program], {
      env: { FELIX_HEALTHENABLED: 'true', ...options.env },
      log: `/var/log/calico/${program}.log`,
    });
  }

  /** Until a host's agent says that it has read the store and programmed the kernel. */
  async ready(hostName: string): Promise<void> {
    const host = this.lab.host(hostName);
    const ask = "exec 3<>/dev/tcp/localhost/9099 && printf 'GET /readiness HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3";
    await until(
      `the agent on ${hostName} ready`,
      async () => (await host.exec(['bash', '-c', ask], { check: false })).stdout.includes(' 200 '),
      { deadlineMs: 20_000 },
    );
  }

  /** A workload with addresses, an endpoint in the store, and a cable; returns when its host has programmed it. */
  async addWorkload(hostName: string, name: string, options: EndpointOptions = {}): Promise<LabWorkload> {
    const handleId = `lab.${containerId(hostName, name)}`;
    const addresses = options.addresses ?? (await this.#assign(hostName, name, handleId, options.pools));
    if (options.addresses !== undefined) {
      for (const address of addresses) await this.ipam.assignIp({ address, hostname: hostName, handleId });
    }
    const workload = await this.lab.addWorkload(hostName, name, { addresses });
    const endpoint = endpointOf(hostName, name, addresses, options);
    await this.client.apply(endpoint);
    const { namespace = 'default' } = endpoint.metadata;
    this.#endpoints.set(name, { namespace, name: endpoint.metadata.name, handleId });
    await until(`${name} programmed on ${hostName}`, () => this.isProgrammed(workload), { deadlineMs: 20_000 });
    return workload;
  }

  /** Whether its host's ruleset knows the workload's interface. */
  async isProgrammed(workload: LabWorkload): Promise<boolean> {
    const { stdout } = await workload.host.exec(['nft', 'list', 'table', 'inet', 'calico'], { check: false });
    return stdout.includes(`"${workload.hostInterface}"`);
  }

  async #assign(hostname: string, name: string, handleId: string, pools?: readonly string[]): Promise<string[]> {
    const all = (await this.client.list('IPPool')).map(({ value }) => value.spec.cidr);
    const isIpv6 = (cidr: string): boolean => cidr.includes(':');
    const { ipv4, ipv6 } = await this.ipam.autoAssign({
      hostname,
      use: 'Workload',
      handleId,
      attributes: { node: hostname, workload: name },
      ipv4: all.some((cidr) => !isIpv6(cidr)) ? 1 : 0,
      ipv6: all.some(isIpv6) ? 1 : 0,
      ...(pools === undefined
        ? {}
        : { ipv4Pools: pools.filter((pool) => !isIpv6(pool)), ipv6Pools: pools.filter(isIpv6) }),
    });
    const addresses = [...ipv4.addresses, ...ipv6.addresses].map((address) => address.replace(/\/\d+$/, ''));
    if (addresses.length === 0)
      throw new CalicoError('ERR_CALI_LAB_WORKLOAD', `no address for workload "${name}": no pool has one`);
    return addresses;
  }

  /** Takes it away wholly: endpoint, addresses, namespace, cable. */
  async removeWorkload(name: string): Promise<void> {
    const known = this.#endpoints.get(name);
    if (known !== undefined) {
      await this.client.delete({ kind: 'WorkloadEndpoint', namespace: known.namespace, name: known.name });
      await this.ipam.releaseByHandle(known.handleId);
      this.#endpoints.delete(name);
    }
    await this.lab.removeWorkload(name);
  }

  /**
   * Gives the underlay's router a route to every block, as one that peers with the hosts would have: without tunnels, workloads behind
   * a router are reached no other way.
   */
  async teachRouter(): Promise<void> {
    const { items } = await this.datastore.list('IPAMBlock');
    const routes = items.flatMap(({ value: { cidr, affinity } }) => {
      const owner = this.lab.hosts.find(({ name }) => affinity === `host:${name}`);
      if (owner === undefined) return [];
      return [`route replace ${cidr} via ${cidr.includes(':') ? owner.addresses.ipv6 : owner.addresses.ipv4}`];
    });
    await ipBatch(this.lab.underlay.init.pid, routes);
  }

  /** Runs `calicoctl` on a host as its users do; returns what it printed. */
  async calicoctl(hostName: string, args: readonly string[], input?: string): Promise<string> {
    const { stdout } = await this.lab.host(hostName).exec(['calicoctl', ...args], input === undefined ? {} : { input });
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.datastore[Symbol.asyncDispose]();
  }
}

function endpointOf(
  host: string,
  name: string,
  addresses: readonly string[],
  options: EndpointOptions,
): WorkloadEndpoint {
  const identity = {
    orchestrator: 'cni',
    node: host,
    containerID: containerId(host, name).slice(0, 12),
    endpoint: 'eth0',
  };
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: {
      name: workloadEndpointName(identity),
      namespace: options.namespace ?? 'default',
      labels: { workload: name, ...options.labels },
    },
    spec: {
      ...identity,
      workload: name,
      interfaceName: hostInterfaceName(host, name),
      ipNetworks: addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
      profiles: [...(options.profiles ?? [])],
    },
  };
}
