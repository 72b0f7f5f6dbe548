import { describe, expect, test } from 'vitest';
import { felixParameters } from './felix-parameters.js';
import { type UnusedFelixParameter, unusedFelixParameters } from './felix-unused-parameters.js';
import { formatIssue } from './issues.js';
import { validate } from './validate.js';

const all: Readonly<Record<string, UnusedFelixParameter>> = { ...felixParameters, ...unusedFelixParameters };
const fields = Object.entries(all).filter(([, { isLocal }]) => isLocal !== true);

function said(spec: object, name = 'default'): readonly string[] {
  const object = { apiVersion: 'projectcalico.org/v3', kind: 'FelixConfiguration', metadata: { name }, spec };
  return validate(object).map(formatIssue);
}

describe('the table of parameters', () => {
  test('has every field of a FelixConfiguration once; with nodeSelector they are 188', () => {
    expect(fields).toHaveLength(187);
    expect(Object.keys(felixParameters).filter((name) => Object.hasOwn(unusedFelixParameters, name))).toEqual([]);
  });

  test('names nothing twice, in any case', () => {
    const names = Object.entries(all).flatMap(([name, { alias }]) => [name, ...(alias === undefined ? [] : [alias])]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  });

  test('says of each what it means and how it is written', () => {
    expect(Object.entries(all).filter(([, { meaning, form }]) => meaning === '' || form.words === '')).toEqual([]);
  });

  test.each(fields)('%s refuses what is none of its values', (name) => {
    expect(said({ [name]: [{ no: { such: 'value' } }] })).not.toEqual([]);
  });
});

const wrong: readonly [object, ...string[]][] = [
  [{ bpfEnabled: 'maybe' }, 'spec.bpfEnabled: "maybe" is not true or false'],
  [{ routeSource: 'BGP' }, 'spec.routeSource: "BGP" is not one of CalicoIPAM, WorkloadIPs'],
  [{ reportingInterval: '5' }, 'spec.reportingInterval: "5" is not a duration such as 90s or 1m30s'],
  [{ vxlanVNI: 0 }, 'spec.vxlanVNI: 0 is not a whole number from 1 to 16777215'],
  [{ bpfMaglevMaxServices: 3001 }, 'spec.bpfMaglevMaxServices: 3001 is not a whole number from 1 to 3000'],
  [{ ipv4ElevatedRoutePriority: 0 }, 'spec.ipv4ElevatedRoutePriority: 0 is not a whole number from 1 to 2147483646'],
  [{ logActionRateLimitBurst: 10000 }, 'spec.logActionRateLimitBurst: 10000 is not a whole number from 0 to 9999'],
  [
    { logActionRateLimit: '0/second' },
    'spec.logActionRateLimit: "0/second" is not a rate: 1 to 9999, then /second, /minute, /hour or /day',
  ],
  [{ mtuIfacePattern: '(' }, 'spec.mtuIfacePattern: "(" is not a regular expression'],
  [{ natOutgoingAddress: 'fd80::1' }, 'spec.natOutgoingAddress: "fd80::1" is not an IPv4 address'],
  [{ natPortRange: '9:1' }, 'spec.natPortRange: "9:1" is not a port range such as 32768:65535'],
  [{ bpfPSNATPorts: 'http' }, 'spec.bpfPSNATPorts: "http" is not a port range such as 32768:65535'],
  [{ kubeNodePortRanges: [1, 2, 3, 4, 5, 6, 7, '8:9'] }, 'spec.kubeNodePortRanges: it has 8 entries, at most 7 fit'],
  [{ failsafeInboundHostPorts: [{ protocol: 'TCP' }] }, 'spec.failsafeInboundHostPorts[0].port: it is missing'],
  [
    { failsafeOutboundHostPorts: [{ protocol: 'ICMP', port: 70000, net: 'x' }] },
    'spec.failsafeOutboundHostPorts[0].protocol: "ICMP" is not one of TCP, UDP, SCTP',
    'spec.failsafeOutboundHostPorts[0].port: 70000 is not a whole number from 0 to 65535',
    'spec.failsafeOutboundHostPorts[0].net: "x" is not a CIDR: "x" is not an IP address',
  ],
  [
    { healthTimeoutOverrides: [{ name: 'a', timeout: '1' }] },
    'spec.healthTimeoutOverrides[0].timeout: "1" is not a duration such as 90s or 1m30s',
  ],
  [
    { externalNodesList: ['192.0.2.1'] },
    'spec.externalNodesList[0]: "192.0.2.1" is not a CIDR: it has no prefix length',
  ],
  [
    { openstackRegion: 'a.b' },
    'spec.openstackRegion: "a.b" is not a DNS label: lower-case letters, digits and "-", at most 63, no dot',
  ],
  [
    { wireguardInterfaceName: 'wireguard-of-calico' },
    'spec.wireguardInterfaceName: "wireguard-of-calico" is not the name of a network interface',
  ],
  [{ featureGates: 'A' }, 'spec.featureGates: "A" is not a list of settings such as Name=true'],
  [{ bpfLogFilters: { eth0: 1 } }, 'spec.bpfLogFilters.eth0: 1 is not text'],
  [
    { bpfConntrackTimeouts: { tcpSynSent: 'soon', udp: '1s' } },
    'spec.bpfConntrackTimeouts.udp: field in document is not recognized or is in the wrong location: udp',
    'spec.bpfConntrackTimeouts.tcpSynSent: "soon" is neither a duration nor Auto',
  ],
  [{ istioDSCPMark: 64 }, 'spec.istioDSCPMark: "64" is not a code point: 0 to 63, or a name such as EF'],
  [{ routeTableRange: { min: 9, max: 251 } }, 'spec.routeTableRange.max: 251 is not a whole number from 1 to 250'],
  [{ routeTableRanges: [{ min: 9, max: 1 }] }, 'spec.routeTableRanges[0]: it ends at 1, before it begins at 9'],
  [
    { routeTableRange: { min: 1, max: 9 }, routeTableRanges: [] },
    'spec.routeTableRange: it excludes routeTableRanges: give one of the two',
  ],
  [{ nodeSelector: 'all()' }, 'spec.nodeSelector: "default" needs none: its name says whom it is for'],
];

describe('fields of FelixConfiguration', () => {
  test.each(wrong)('%j', (spec, ...messages) => {
    expect(said(spec)).toEqual(messages);
  });

  test('take what other agents write', () => {
    const spec = {
      bpfLogLevel: 'Debug',
      bpfConntrackTimeouts: { tcpFinsSeen: 'Auto', udpTimeout: '60s' },
      bpfForceTrackPacketsFromIfaces: ['docker+'],
      featureDetectOverride: 'ChecksumOffloadBroken=false,MASQFullyRandom=true',
      istioDSCPMark: 'EF',
      kubeNodePortRanges: ['30000:32767', 80],
      nodeSelector: "rack == 'r1'",
      openstackRegion: 'east',
      routeTableRanges: [{ min: 1, max: 250 }],
      usageReportingEnabled: false,
      wireguardKeepAlive: '25s',
    };
    expect(said(spec, 'rack-1')).toEqual([]);
  });

  test('read text in environment and file as the field would have it', () => {
    const read = (name: string, text: string) => all[name]?.form.parseText(text);
    expect(read('bpfConntrackTimeouts', 'TCPSynSent=20s,TCPFinsSeen=Auto')).toEqual({
      tcpSynSent: '20s',
      tcpFinsSeen: 'Auto',
    });
    expect(read('routeTableRanges', '1-250,300-310')).toEqual([
      { min: 1, max: 250 },
      { min: 300, max: 310 },
    ]);
    expect(read('routeTableRange', '1-251')).toBeUndefined();
    expect(read('kubeNodePortRanges', '30000:32767')).toEqual([{ first: 30000, last: 32767 }]);
    expect(read('kubeNodePortRanges', 'all')).toBeUndefined();
    expect(read('bpfLogFilters', 'eth0=tcp port 80,all=host 192.0.2.1')).toEqual({
      eth0: 'tcp port 80',
      all: 'host 192.0.2.1',
    });
    expect(read('externalNodesList', '192.0.2.0/24, 198.51.100.0/24')).toEqual(['192.0.2.0/24', '198.51.100.0/24']);
    expect(read('istioDSCPMark', '23')).toBe(23);
  });
});
