import { CalicoError, formatError } from '../src/base/errors.js';
import { DockerCluster } from './docker-cluster.js';
import type { EngineGeneration } from './docker-engine.js';
import { until } from './processes.js';
import { Story } from './story.js';

const FIRST = 'calico-01';
const SECOND = 'calico-02';

/** Docker's tutorial as a user types it, each command with what it printed, each promise checked. */
class Tutorial {
  readonly #hosts: DockerCluster;
  readonly #story: Story;

  constructor(hosts: DockerCluster, story: Story) {
    this.#hosts = hosts;
    this.#story = story;
  }

  async docker(host: string, command: string): Promise<void> {
    const { stdout, stderr, status } = await this.#hosts.docker(host, command, { check: false });
    this.#story.typed(host, `docker ${command}`, shortIds(`${stdout}${stderr}`));
    if (status !== 0) this.#story.expect(`docker ${command}`, false, `status ${status}`);
  }

  async calicoctl(host: string, command: string): Promise<void> {
    const output = await this.#hosts.cluster.calicoctl(host, command.split(' '));
    this.#story.typed(host, `calicoctl ${command}`, shortIds(output));
  }

  /** A ping as typed; across hosts it takes a moment until the route is there. */
  async ping(host: string, from: string, target: string, expected: boolean): Promise<void> {
    const family = target.endsWith('.six') ? 6 : 4;
    const tries = expected ? 10 : 1;
    let answered = false;
    for (let attempt = 0; attempt < tries && !answered; attempt += 1) {
      answered = await this.#hosts.pings(host, from, target, { family });
    }
    this.#story.expect(`${from} ${expected ? 'reaches' : 'does not reach'} ${target}`, answered === expected);
  }

  /** A line of shell; quoted as `docker` and `calicoctl` are, without what runs over the page. */
  async line(host: string, command: string): Promise<void> {
    const { stdout, status } = await this.#hosts.typed(host, command);
    this.#story.typed(host, command, shortIds(stdout).replaceAll(/^(docker run .{60}).*$/gm, '$1…'));
    if (status !== 0) this.#story.expect(command, false, `status ${status}`);
  }

  async nodes(): Promise<void> {
    this.#story.chapter('calico-node, a container on each host');
    const { etcdEndpoint, hosts } = this.#hosts.lab;
    for (const { name, addresses } of hosts) {
      const options = `--libnetwork --ip=${addresses.ipv4} --ip6=${addresses.ipv6}`;
      await this.line(name, `sudo ETCD_ENDPOINTS=${etcdEndpoint} calicoctl node ${options}`);
    }
    await this.docker(FIRST, 'ps');
    await this.sessions();
    await this.line(FIRST, 'calicoctl status');
  }

  /** Hosts look for each other for a second or two. */
  async sessions(): Promise<void> {
    const established = async (): Promise<boolean> => {
      const { stdout } = await this.#hosts.typed(FIRST, 'calicoctl node status');
      return stdout.split('Established').length === 3;
    };
    await until('the sessions between the hosts', established, { deadlineMs: 20_000, everyMs: 200 });
    this.#story.expect('the hosts tell each other their routes, by BGP over IPv4 and IPv6', true);
  }

  async createNetwork(words: string): Promise<void> {
    for (const host of this.#hosts.networkHosts) await this.docker(host, `network create ${words}`);
  }

  async networks(): Promise<void> {
    this.#story.chapter('A pool, three networks, five workloads');
    await this.calicoctl(FIRST, 'pool add 192.168.0.0/16 --nat-outgoing');
    await this.calicoctl(FIRST, 'pool show');
    for (const network of ['net1', 'net2', 'net3']) {
      await this.createNetwork(`--driver calico --ipam-driver calico ${network}`);
    }
    await this.docker(FIRST, 'run --net net1 --name workload-A -tid busybox');
    await this.docker(FIRST, 'run --net net2 --name workload-B -tid busybox');
    await this.docker(FIRST, 'run --net net1 --name workload-C -tid busybox');
    await this.docker(SECOND, 'run --net net3 --name workload-D -tid busybox');
    await this.docker(SECOND, 'run --net net1 --name workload-E -tid busybox');
    await this.docker(FIRST, 'network ls');
    await this.docker(FIRST, 'exec workload-A ip route');
  }

  async isolation(): Promise<void> {
    this.#story.chapter('Members of a network reach each other, nobody else does');
    const hosts = this.#hosts;
    const address = {
      B: await hosts.address(FIRST, 'workload-B', 'net2'),
      D: await hosts.address(SECOND, 'workload-D', 'net3'),
      E: await hosts.address(SECOND, 'workload-E', 'net1'),
    };
    this.#story.say(`  docker inspect says: workload-B ${address.B}, workload-D ${address.D}, workload-E ${address.E}`);
    await this.ping(FIRST, 'workload-A', 'workload-C.net1', true);
    await this.ping(FIRST, 'workload-A', 'workload-C', true);
    await this.ping(FIRST, 'workload-A', address.E, true);
    await this.ping(FIRST, 'workload-A', 'workload-E.net1', true);
    await this.ping(FIRST, 'workload-A', address.B, false);
    await this.ping(FIRST, 'workload-A', address.D, false);
    await this.ping(FIRST, 'workload-A', 'workload-B', false);
    await this.calicoctl(FIRST, 'get profiles');
    await this.calicoctl(FIRST, 'get workloadendpoints -A');
  }

  async outside(): Promise<void> {
    this.#story.chapter('The pool lets its workloads out with the address of their host');
    await this.ping(FIRST, 'workload-A', this.#hosts.lab.underlay.addresses.ipv4, true);
  }

  async fixedAddress(): Promise<void> {
    this.#story.chapter('An address of one’s own choice, and what is refused');
    await this.calicoctl(FIRST, 'pool add 192.0.2.0/24');
    await this.createNetwork('--driver calico --ipam-driver calico --subnet=192.0.2.0/24 my_net');
    await this.docker(FIRST, 'run --net my_net --name my_workload --ip 192.0.2.100 -tid busybox');
    const address = await this.#hosts.address(FIRST, 'my_workload', 'my_net');
    this.#story.expect('my_workload has 192.0.2.100', address === '192.0.2.100', address);
    for (const words of [
      'network create --driver calico --ipam-driver calico --subnet=10.77.0.0/16 wrong',
      'run --net net1 -p 8080:80 --name published -d busybox sleep 60',
    ]) {
      const said = await this.#hosts.engine(FIRST).refusal(words.split(' '));
      this.#story.typed(FIRST, `docker ${words}`, said);
    }
  }

  async ipv6(): Promise<void> {
    this.#story.chapter('IPv6');
    await this.calicoctl(FIRST, 'pool add fd80:24e2:f998:72d6::/64');
    await this.createNetwork('--driver calico --ipam-driver calico --ipv6 --subnet fd80:24e2:f998:72d6::/64 six');
    await this.docker(FIRST, 'run --net six --name six-A -tid busybox');
    await this.docker(SECOND, 'run --net six --name six-B -tid busybox');
    await this.docker(FIRST, 'exec six-A ip -6 route show default');
    await this.ping(FIRST, 'six-A', 'six-B.six', true);
  }

  async ownAddresses(): Promise<void> {
    this.#story.chapter('Addresses from Docker itself, and options of a network');
    const options = '--opt nat-outgoing=true --opt ipip=true';
    await this.createNetwork(`--driver calico ${options} --subnet=198.51.100.0/24 net4`);
    await this.docker(FIRST, 'run --net net4 --ip 198.51.100.7 --name workload-F -tid busybox');
    const serve = '--hostname workload-G busybox httpd -f -p 80 -h /etc';
    await this.docker(FIRST, `run --net net4 --ip 198.51.100.8 -p 8080:80 --name workload-G -d ${serve}`);
    await this.ping(FIRST, 'workload-F', '198.51.100.8', true);
    const { ipv4 } = this.#hosts.lab.host(FIRST).addresses;
    await this.line(SECOND, `curl -s -m 3 http://${ipv4}:8080/hostname`);
    await this.calicoctl(FIRST, 'pool show --ipv4');
    await this.line(FIRST, 'calicoctl node status | grep "gets no tunnel"');
  }

  async labels(): Promise<void> {
    this.#story.chapter('Policy by the labels of containers');
    const policy = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'database' },
      spec: {
        selector: "role == 'database'",
        types: ['Ingress'],
        ingress: [{ action: 'Allow', source: { selector: "role == 'front'" } }],
      },
    };
    await this.docker(FIRST, 'run --net net1 --label org.projectcalico.label.role=front --name front -tid busybox');
    await this.docker(
      SECOND,
      'run --net net1 --label org.projectcalico.label.role=database --name database -tid busybox',
    );
    const said = await this.#hosts.cluster.calicoctl(FIRST, ['apply', '-f', '-'], JSON.stringify(policy));
    this.#story.typed(FIRST, 'calicoctl apply -f database.yaml', said);
    const address = await this.#hosts.address(SECOND, 'database', 'net1');
    await this.ping(FIRST, 'front', address, true);
    await this.ping(FIRST, 'workload-A', address, false);
  }

  async removal(): Promise<void> {
    this.#story.chapter('All is removed');
    const { cluster, lab } = this.#hosts;
    await this.docker(
      FIRST,
      'rm -f workload-A workload-B workload-C my_workload six-A workload-F workload-G published front',
    );
    await this.docker(SECOND, 'rm -f workload-D workload-E six-B database');
    for (const host of this.#hosts.networkHosts) {
      await this.docker(host, 'network rm net1 net2 net3 net4 my_net six');
    }
    const endpoints = await cluster.client.list('WorkloadEndpoint');
    this.#story.expect('no endpoint is left', endpoints.length === 0);
    const handles = (await cluster.datastore.list('IPAMHandle')).items.filter(({ key }) =>
      key.name.startsWith('libnetwork.'),
    );
    this.#story.expect('no address is left', handles.length === 0);
    const links = await Promise.all(lab.hosts.map((host) => host.exec(['ip', '-o', 'link'])));
    this.#story.expect(
      'no interface is left',
      links.every(({ stdout }) => !/ (cali|temp)[0-9a-f]{11}/.test(stdout)),
    );
  }
}

/** Ids as engines shorten them in lists. */
function shortIds(text: string): string {
  return text.replaceAll(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1');
}

function readGeneration(): EngineGeneration {
  const [, , word = '20.10'] = process.argv;
  if (word === '20.10' || word === '26.1') return word;
  throw new CalicoError('ERR_CALI_LAB_ENGINE', `there is no engine ${word} here`, {
    hint: 'ENGINE=20.10 or ENGINE=26.1',
  });
}

const story = new Story();
try {
  const generation = readGeneration();
  story.chapter(`Two hosts, each with a Docker engine ${generation} and the image that make image builds`);
  await using hosts = await DockerCluster.start({ generation, startsNodes: false });
  const tutorial = new Tutorial(hosts, story);
  await tutorial.docker(FIRST, 'version --format {{.Server.Version}}');
  await tutorial.nodes();
  await tutorial.calicoctl(FIRST, 'get nodes -o wide');
  await tutorial.networks();
  await tutorial.isolation();
  await tutorial.outside();
  await tutorial.fixedAddress();
  await tutorial.ipv6();
  await tutorial.ownAddresses();
  await tutorial.labels();
  await tutorial.removal();
} catch (error) {
  story.expect('the demo runs to its end', false, formatError(error));
}
process.exitCode = story.close();
