import { isNamespaced, type PublicKind, type PublicResourceByKind, type TieredKind } from '../../api/registry.js';
import { formatFloat } from '../go-template/go-template-values.js';

/** What the columns of a table may need besides the object itself. */
export interface ColumnFacts {
  /** Of nodes that have none of their own. */
  readonly globalAsNumber: number;
}

type Cell<R> = (resource: R, facts: ColumnFacts) => string;

interface KindColumns<R> {
  readonly all: Readonly<Record<string, Cell<R>>>;
  readonly narrow: readonly string[];
  readonly wide: readonly string[];
}

const JOINED_LIMIT = 80;
const CUT = '...';
const ABSENT = '<nil>';
function goFloat(value: number | undefined): string {
  return value === undefined ? ABSENT : formatFloat(value);
}

function joined(list: readonly string[] | undefined): string {
  const text = (list ?? []).join(',');
  return text.length > JOINED_LIMIT ? `${text.slice(0, JOINED_LIMIT - CUT.length)}${CUT}` : text;
}

const truth = (value: boolean | undefined) => String(value ?? false);
const NAME = (resource: { readonly metadata: { readonly name: string } }) => resource.metadata.name;

const policyColumns: KindColumns<PublicResourceByKind[TieredKind]> = {
  all: {
    NAME,
    TIER: ({ spec }) => spec.tier ?? 'default',
    ORDER: ({ spec }) => goFloat(spec.order),
    SELECTOR: ({ spec }) => spec.selector ?? '',
  },
  narrow: ['NAME', 'TIER'],
  wide: ['NAME', 'TIER', 'ORDER', 'SELECTOR'],
};

const setColumns: KindColumns<PublicResourceByKind['NetworkSet'] | PublicResourceByKind['GlobalNetworkSet']> = {
  all: { NAME, NETS: ({ spec }) => joined(spec.nets) },
  narrow: ['NAME'],
  wide: ['NAME', 'NETS'],
};

const COLUMNS: { readonly [K in PublicKind]: KindColumns<PublicResourceByKind[K]> } = {
  IPPool: {
    all: {
      NAME,
      CIDR: ({ spec }) => spec.cidr,
      NAT: ({ spec }) => truth(spec.natOutgoing),
      IPIPMODE: ({ spec }) => spec.ipipMode ?? 'Never',
      VXLANMODE: ({ spec }) => spec.vxlanMode ?? 'Never',
      DISABLED: ({ spec }) => truth(spec.disabled),
      DISABLEBGPEXPORT: ({ spec }) => truth(spec.disableBGPExport),
      SELECTOR: ({ spec }) => spec.nodeSelector ?? 'all()',
      ASSIGNMENTMODE: ({ spec }) => spec.assignmentMode ?? 'Automatic',
    },
    narrow: ['NAME', 'CIDR', 'SELECTOR'],
    wide: [
      'NAME',
      'CIDR',
      'NAT',
      'IPIPMODE',
      'VXLANMODE',
      'DISABLED',
      'DISABLEBGPEXPORT',
      'SELECTOR',
      'ASSIGNMENTMODE',
    ],
  },
  Node: {
    all: {
      NAME,
      ASN: ({ spec }, { globalAsNumber }) =>
        spec.bgp === undefined ? '' : String(spec.bgp.asNumber ?? `(${globalAsNumber})`),
      IPV4: ({ spec }) => spec.bgp?.ipv4Address ?? '',
      IPV6: ({ spec }) => spec.bgp?.ipv6Address ?? '',
    },
    narrow: ['NAME'],
    wide: ['NAME', 'ASN', 'IPV4', 'IPV6'],
  },
  WorkloadEndpoint: {
    all: {
      NAME,
      WORKLOAD: ({ spec }) => spec.workload ?? spec.pod ?? spec.containerID ?? '',
      NODE: ({ spec }) => spec.node,
      NETWORKS: ({ spec }) => (spec.ipNetworks ?? []).join(','),
      INTERFACE: ({ spec }) => spec.interfaceName,
      PROFILES: ({ spec }) => (spec.profiles ?? []).join(','),
      NATS: ({ spec }) =>
        (spec.ipNATs ?? []).map(({ internalIP, externalIP }) => `{${internalIP} ${externalIP}}`).join(','),
      ORCHESTRATOR: ({ spec }) => spec.orchestrator,
    },
    narrow: ['WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE'],
    wide: ['NAME', 'WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE', 'PROFILES', 'NATS'],
  },
  Profile: {
    all: {
      NAME,
      LABELS: ({ spec }) =>
        Object.entries(spec.labelsToApply ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .toSorted()
          .join(','),
    },
    narrow: ['NAME'],
    wide: ['NAME', 'LABELS'],
  },
  NetworkPolicy: policyColumns,
  GlobalNetworkPolicy: policyColumns,
  NetworkSet: setColumns,
  GlobalNetworkSet: setColumns,
  Tier: { all: { NAME, ORDER: ({ spec }) => goFloat(spec.order) }, narrow: ['NAME', 'ORDER'], wide: ['NAME', 'ORDER'] },
  BGPConfiguration: {
    all: {
      NAME,
      LOGSEVERITY: ({ spec }) => spec.logSeverityScreen ?? '',
      MESHENABLED: ({ spec }) => String(spec.nodeToNodeMeshEnabled ?? '-'),
      ASNUMBER: ({ spec }) => String(spec.asNumber ?? '-'),
    },
    narrow: ['NAME', 'LOGSEVERITY', 'MESHENABLED', 'ASNUMBER'],
    wide: ['NAME', 'LOGSEVERITY', 'MESHENABLED', 'ASNUMBER'],
  },
  BGPPeer: {
    all: {
      NAME,
      PEERIP: ({ spec }) => spec.peerIP ?? '',
      NODE: ({ spec }) => spec.node ?? spec.nodeSelector ?? '(global)',
      ASN: ({ spec }) => String(spec.asNumber ?? 0),
    },
    narrow: ['NAME', 'PEERIP', 'NODE', 'ASN'],
    wide: ['NAME', 'PEERIP', 'NODE', 'ASN'],
  },
  FelixConfiguration: { all: { NAME }, narrow: ['NAME'], wide: ['NAME'] },
  ClusterInformation: {
    all: {
      NAME,
      CLUSTERGUID: ({ spec }) => spec.clusterGUID ?? '',
      CLUSTERTYPE: ({ spec }) => spec.clusterType ?? '',
      CALICOVERSION: ({ spec }) => spec.calicoVersion ?? '',
      DATASTOREREADY: ({ spec }) => String(spec.datastoreReady ?? ABSENT),
    },
    narrow: ['NAME', 'CLUSTERGUID', 'CLUSTERTYPE', 'CALICOVERSION', 'DATASTOREREADY'],
    wide: ['NAME', 'CLUSTERGUID', 'CLUSTERTYPE', 'CALICOVERSION', 'DATASTOREREADY'],
  },
  HostEndpoint: {
    all: {
      NAME,
      NODE: ({ spec }) => spec.node,
      INTERFACE: ({ spec }) => spec.interfaceName ?? '',
      IPS: ({ spec }) => (spec.expectedIPs ?? []).join(','),
      PROFILES: ({ spec }) => (spec.profiles ?? []).join(','),
    },
    narrow: ['NAME', 'NODE'],
    wide: ['NAME', 'NODE', 'INTERFACE', 'IPS', 'PROFILES'],
  },
  StagedNetworkPolicy: policyColumns,
  StagedGlobalNetworkPolicy: policyColumns,
  StagedKubernetesNetworkPolicy: {
    all: { NAME, PODSELECTOR: ({ spec }) => labelSelectorText(spec.podSelector) },
    narrow: ['NAME'],
    wide: ['NAME', 'PODSELECTOR'],
  },
  IPReservation: {
    all: { NAME, CIDRS: ({ spec }) => joined(spec.reservedCIDRs) },
    narrow: ['NAME'],
    wide: ['NAME', 'CIDRS'],
  },
  BGPFilter: {
    all: {
      NAME,
      NUMEXPORTV4: ({ spec }) => String(spec.exportV4?.length ?? 0),
      NUMIMPORTV4: ({ spec }) => String(spec.importV4?.length ?? 0),
      NUMEXPORTV6: ({ spec }) => String(spec.exportV6?.length ?? 0),
      NUMIMPORTV6: ({ spec }) => String(spec.importV6?.length ?? 0),
    },
    narrow: ['NAME', 'NUMEXPORTV4', 'NUMIMPORTV4', 'NUMEXPORTV6', 'NUMIMPORTV6'],
    wide: ['NAME', 'NUMEXPORTV4', 'NUMIMPORTV4', 'NUMEXPORTV6', 'NUMIMPORTV6'],
  },
  CalicoNodeStatus: {
    all: { NAME, NODE: ({ spec }) => spec.node, CLASSES: ({ spec }) => spec.classes.join(',') },
    narrow: ['NAME', 'NODE'],
    wide: ['NAME', 'NODE', 'CLASSES'],
  },
  KubeControllersConfiguration: { all: { NAME }, narrow: ['NAME'], wide: ['NAME'] },
  IPAMConfiguration: {
    all: {
      NAME,
      STRICTAFFINITY: ({ spec }) => truth(spec.strictAffinity),
      AUTOALLOCATEBLOCKS: ({ spec }) => String(spec.autoAllocateBlocks ?? true),
      MAXBLOCKSPERHOST: ({ spec }) => String(spec.maxBlocksPerHost ?? 0),
    },
    narrow: ['NAME', 'STRICTAFFINITY', 'AUTOALLOCATEBLOCKS'],
    wide: ['NAME', 'STRICTAFFINITY', 'AUTOALLOCATEBLOCKS', 'MAXBLOCKSPERHOST'],
  },
};

/** A Kubernetes label selector in the policy language. */
function labelSelectorText(
  selector: PublicResourceByKind['StagedKubernetesNetworkPolicy']['spec']['podSelector'],
): string {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const quoted = (values: readonly string[] = []) => values.map((value) => `'${value}'`).join(', ');
  const terms = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key} == '${value}'`),
    ...matchExpressions.map(({ key, operator, values }) => {
      if (operator === 'Exists') return `has(${key})`;
      if (operator === 'DoesNotExist') return `!has(${key})`;
      return `${key} ${operator === 'In' ? 'in' : 'not in'} {${quoted(values)}}`;
    }),
  ];
  return terms.join(' && ');
}

/** A column: its heading and how an object fills it. */
export interface Column {
  readonly heading: string;
  readonly cell: (resource: PublicResourceByKind[PublicKind], facts: ColumnFacts) => string;
}

const NAMESPACE_COLUMN: Column = { heading: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace ?? '' };

/** What `--show-labels` adds. */
export const LABELS_COLUMN: Column = {
  heading: 'LABELS',
  cell: ({ metadata }) => {
    const labels = Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    return labels.length === 0 ? '<none>' : labels.toSorted().join(',');
  },
};

function columnsNamed(kind: PublicKind, headings: readonly string[]): readonly Column[] {
  // Which cells go with which kind is what the table's type says; a kind only known at run time loses that.
  const all = COLUMNS[kind].all as Readonly<Record<string, Cell<PublicResourceByKind[PublicKind]>>>;
  return headings.flatMap((heading) => {
    if (heading === 'NAMESPACE') return [NAMESPACE_COLUMN];
    const cell = all[heading];
    return cell === undefined ? [] : [{ heading, cell }];
  });
}

/** Every heading that `custom-columns` takes for a kind. */
export function headingsOf(kind: PublicKind): readonly string[] {
  const own = Object.keys(COLUMNS[kind].all);
  return isNamespaced(kind) ? ['NAMESPACE', ...own] : own;
}

/** The columns of a kind's table, or of its wide one. */
export function columnsOf(kind: PublicKind, isWide: boolean): readonly Column[] {
  return columnsNamed(kind, isWide ? COLUMNS[kind].wide : COLUMNS[kind].narrow);
}

/** Columns somebody chose; the first heading that is none, otherwise. */
export function chosenColumns(
  kind: PublicKind,
  headings: readonly string[],
): { readonly columns: readonly Column[] } | { readonly unknown: string; readonly valid: readonly string[] } {
  const valid = headingsOf(kind);
  const unknown = headings.find((heading) => !valid.includes(heading));
  return unknown === undefined ? { columns: columnsNamed(kind, headings) } : { unknown, valid };
}
