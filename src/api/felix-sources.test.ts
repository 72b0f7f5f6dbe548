import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { felixParameters } from './felix-parameters.js';
import { felixEnvironment, felixFile, felixResource, resolveFelixParameters } from './felix-sources.js';

const resource = (name: string, spec: Record<string, unknown>, annotations: Record<string, string> = {}) =>
  felixResource({
    apiVersion: 'projectcalico.org/v3',
    kind: 'FelixConfiguration',
    metadata: { name, annotations },
    spec,
  });

describe('resolveFelixParameters()', () => {
  test('gives the defaults when nothing is set', () => {
    const { values, set, problems } = resolveFelixParameters([]);
    expect(values).toMatchObject({
      interfacePrefix: ['cali'],
      defaultEndpointToHostAction: 'drop',
      nftablesMarkMask: 0xffff0000,
      routeRefreshInterval: 90_000,
    });
    expect([set.size, problems]).toEqual([0, []]);
  });

  test('takes the environment before the file before the host before the cluster', () => {
    const sources = [
      felixEnvironment({ FELIX_LOGSEVERITYSCREEN: 'debug', PATH: '/bin' }),
      felixFile(
        '/etc/calico/felix.cfg',
        '[global]\nLogSeverityScreen = error\nInterfacePrefix = tap, cali\n# HealthPort = 1\n',
      ),
      resource('node.calico-01', { logSeverityScreen: 'Fatal', ipv6Support: false, interfacePrefix: 'x' }),
      resource('default', { ipv6Support: true, healthPort: 9100 }),
    ];
    expect(resolveFelixParameters(sources).values).toMatchObject({
      logSeverityScreen: 'debug',
      interfacePrefix: ['tap', 'cali'],
      ipv6Support: false,
      healthPort: 9100,
    });
  });

  test('reads seconds from text and Go durations from fields', () => {
    const fromText = resolveFelixParameters([felixEnvironment({ FELIX_ReportingIntervalSecs: '1.5' })]);
    const fromField = resolveFelixParameters([resource('default', { reportingInterval: '1m30s' })]);
    expect([fromText.values.reportingInterval, fromField.values.reportingInterval]).toEqual([1500, 90_000]);
  });

  test('ignores an empty value, and takes none for the zero of the type', () => {
    const sources = [
      felixEnvironment({ FELIX_HealthPort: '', FELIX_FailsafeInboundHostPorts: 'none', FELIX_LogFilePath: 'none' }),
      resource('default', { healthPort: 1234 }),
    ];
    expect(resolveFelixParameters(sources).values).toMatchObject({
      healthPort: 1234,
      failsafeInboundHostPorts: [],
      logFilePath: '',
    });
  });

  test('uses the default for a wrong value, whatever lower sources say, and reports it', () => {
    const sources = [
      felixEnvironment({ FELIX_DefaultEndpointToHostAction: 'allow' }),
      resource('default', { defaultEndpointToHostAction: 'Accept' }),
    ];
    const { values, problems } = resolveFelixParameters(sources);
    expect(values.defaultEndpointToHostAction).toBe('drop');
    expect(problems).toEqual([
      {
        message: 'FELIX_DefaultEndpointToHostAction: "allow" is not one of Drop, Return, Accept',
        isFatal: true,
      },
    ]);
  });

  test('flags unknown names, not those that other agents know', () => {
    const { problems } = resolveFelixParameters([resource('default', { bpfEnabled: true, ipv6Suport: false })]);
    expect(problems.map(({ message }) => message)).toEqual([
      'FelixConfiguration "default": ipv6Suport is not a known parameter; did you mean ipv6Support?',
    ]);
  });

  test('ignores local parameters in the datastore, and lets an annotation override a field', () => {
    const source = resource(
      'default',
      { EtcdAddr: 'x:1', vxlanPort: 1 },
      { 'config.projectcalico.org/VXLANPort': '2' },
    );
    expect(resolveFelixParameters([source]).values).toMatchObject({ EtcdAddr: '', vxlanPort: 2 });
  });

  test('reads failsafe ports with protocol and net', () => {
    const text = 'tcp:22,68,udp:192.0.2.0/24:53,tcp:[2001:db8::/32]:80';
    expect(
      resolveFelixParameters([felixEnvironment({ FELIX_FailsafeInboundHostPorts: text })]).values
        .failsafeInboundHostPorts,
    ).toEqual([
      { protocol: 'tcp', port: 22 },
      { protocol: 'tcp', port: 68 },
      { protocol: 'udp', port: 53, net: '192.0.2.0/24' },
      { protocol: 'tcp', port: 80, net: '2001:db8::/32' },
    ]);
  });

  test('survives any value of any parameter, from text and from field', () => {
    const name = fc.constantFrom(...Object.keys(felixParameters));
    fc.assert(
      fc.property(name, fc.string(), fc.jsonValue(), (parameter, text, value) => {
        const sources = [
          felixEnvironment({ [`FELIX_${parameter}`]: text }),
          resource('default', { [parameter]: value }),
        ];
        expect(Object.keys(resolveFelixParameters(sources).values)).toEqual(Object.keys(felixParameters));
      }),
    );
  });
});
