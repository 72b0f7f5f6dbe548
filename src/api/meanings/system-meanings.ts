import { felixDefaultText } from '../felix-default-text.js';
import { felixParameters } from '../felix-parameters.js';
import { type UnusedFelixParameter, unusedFelixParameters } from '../felix-unused-parameters.js';
import type { FieldMeaning, KindMeaning } from './kind-meaning.js';

function felixFields(): Readonly<Record<string, FieldMeaning>> {
  const all: Readonly<Record<string, UnusedFelixParameter>> = { ...felixParameters, ...unusedFelixParameters };
  const entries = Object.entries(all).map(([name, parameter]): readonly [string, FieldMeaning] => {
    const { meaning } = parameter;
    const initial = felixDefaultText(name, parameter);
    const text = Object.hasOwn(unusedFelixParameters, name) ? `${meaning}; not used yet` : meaning;
    return [name, initial === '' ? text : [text, initial]];
  });
  return {
    ...Object.fromEntries(entries),
    nodeSelector: 'hosts that it is for; where several fit, the oldest',
    protocol: ['protocol of the port', 'TCP'],
    port: 'the port',
    net: ['peers for whom it is open', 'all'],
    name: 'name of the health reporter',
    timeout: 'how long it may be silent',
    min: 'first of the range',
    max: 'last of the range',
    creationGracePeriod: 'before a new connection may go',
    tcpSynSent: 'for a connection that nobody answered',
    tcpEstablished: 'for an open one',
    tcpFinsSeen: 'for a closed one',
    tcpResetSeen: 'for one that was reset',
    udpTimeout: 'for UDP',
    genericTimeout: 'for other protocols',
    icmpTimeout: 'for ICMP',
  };
}

export const systemMeanings = {
  FelixConfiguration: {
    about:
      'Parameters of the agent: default is for all hosts, node.NAME for one, any other name for those its nodeSelector selects. How else they are set, and when a change takes effect: see [the table of parameters](../felix-parameters.md).',
    fields: felixFields(),
  },
  KubeControllersConfiguration: {
    about: 'How the controllers work that follow Kubernetes. There is one, named default.',
    isKeptOnly: true,
    fields: {
      logSeverityScreen: ['level of the log', 'Info'],
      healthChecks: ['whether health is served', 'Enabled'],
      etcdV3CompactionPeriod: ['how often etcd forgets old revisions; 0: never', '10m'],
      prometheusMetricsPort: ['port of metrics; 0: none', '9094'],
      debugProfilePort: ['port of profiles', 'none'],
      controllers: 'the controllers; one whose block is missing does not run',
      'controllers.node': 'looks after nodes that are gone, and their addresses',
      'controllers.policy': "copies Kubernetes' policies",
      'controllers.workloadEndpoint': 'copies labels of pods',
      'controllers.serviceAccount': 'copies service accounts',
      'controllers.namespace': 'copies namespaces',
      'controllers.loadBalancer': 'gives services their addresses',
      'controllers.migration': 'renames what older versions stored',
      reconcilerPeriod: ['how often everything is compared', '5m'],
      syncLabels: ['whether labels of Kubernetes nodes are copied', 'Enabled'],
      leakGracePeriod: ['how long an address may look lost before it is released; 0: for ever', '15m'],
      hostEndpoint: 'host endpoints made for nodes',
      autoCreate: ['whether they are made', 'Disabled'],
      createDefaultHostEndpoint: ['whether each node gets one for all its interfaces', 'Enabled'],
      templates: 'further ones',
      generateName: 'end of their names',
      interfaceCIDRs: 'networks whose interfaces they are for',
      interfacePattern: 'names of the interfaces they are for',
      labels: 'labels they get',
      annotations: 'annotations they get',
      nodeSelector: ['nodes that get one', 'all()'],
      assignIPs: ['which services get an address', 'AllServices'],
      policyNameMigrator: ['whether keys of policies are renamed', 'Enabled'],
    },
  },
  ClusterInformation: {
    about: 'What the cluster is. The system writes it; people read it. There is one, named default.',
    fields: {
      clusterGUID: 'identity of the cluster',
      clusterType: 'what it is made of, a comma list',
      calicoVersion: 'version that wrote it last',
      datastoreReady: 'false: everybody waits',
      variant: 'variant of the product',
    },
  },
  CalicoNodeStatus: {
    about: 'Asks the agent of a node to say, in status, what it sees.',
    isKeptOnly: true,
    fields: {
      node: 'the node',
      classes: 'what to tell',
      updatePeriodSeconds: 'how often; 0: once',
    },
  },
} as const satisfies Readonly<Record<string, KindMeaning>>;
