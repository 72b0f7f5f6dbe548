import { describe, expect, test } from 'vitest';
import type { ResourceUpdate } from '../api/resource-update.js';
import { ConfigSources, dataplaneSettings, localFelixSources } from './config-sources.js';

function configuration(name: string, spec: object, created = '2026-01-01T00:00:00Z'): ResourceUpdate {
  return {
    kind: 'FelixConfiguration',
    key: { kind: 'FelixConfiguration', name },
    value: {
      apiVersion: 'projectcalico.org/v3',
      kind: 'FelixConfiguration',
      metadata: { name, creationTimestamp: created },
      spec: { ...spec },
    },
    revision: '1',
  };
}

function node(name: string, labels: Record<string, string>): ResourceUpdate {
  return {
    kind: 'Node',
    key: { kind: 'Node', name },
    value: { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata: { name, labels }, spec: {} },
    revision: '1',
  };
}

const nothing = (): undefined => undefined;

describe('ConfigSources', () => {
  test('takes each parameter from the most specific place that sets it', () => {
    const local = localFelixSources({ FELIX_LogPrefix: 'from-env' }, () => 'LogPrefix = from-file\nVXLANPort = 4790\n');
    const sources = new ConfigSources({ hostname: 'calico-01', local });
    sources.apply([
      configuration('default', { vxlanPort: 1, vxlanVNI: 7, defaultEndpointToHostAction: 'Accept' }),
      configuration('node.calico-01', { defaultEndpointToHostAction: 'Return' }),
      configuration('node.calico-02', { defaultEndpointToHostAction: 'Drop' }),
    ]);
    const { values } = sources.resolve();
    expect(values.logPrefix).toBe('from-env');
    expect(values.vxlanPort).toBe(4790);
    expect(values.defaultEndpointToHostAction).toBe('return');
    expect(values.vxlanVNI).toBe(7);
  });

  test('takes the oldest configuration whose selector fits this host, above the default', () => {
    const sources = new ConfigSources({ hostname: 'calico-01', local: localFelixSources({}, nothing) });
    sources.apply([
      node('calico-01', { rack: 'a' }),
      configuration('default', { vxlanVNI: 1 }),
      configuration('younger', { nodeSelector: 'rack == "a"', vxlanVNI: 2 }, '2026-02-02T00:00:00Z'),
      configuration('older', { nodeSelector: 'has(rack)', vxlanVNI: 3 }, '2026-02-01T00:00:00Z'),
      configuration('elsewhere', { nodeSelector: 'rack == "b"', vxlanVNI: 4 }, '2025-01-01T00:00:00Z'),
    ]);
    expect(sources.resolve().values.vxlanVNI).toBe(3);
  });

  test('says whether an update concerns the parameters at all', () => {
    const sources = new ConfigSources({ hostname: 'calico-01', local: [] });
    expect(sources.apply([node('calico-02', {})])).toBe(false);
    expect(sources.apply([configuration('default', {})])).toBe(true);
  });

  test('goes back to the next source when a configuration is deleted', () => {
    const sources = new ConfigSources({ hostname: 'calico-01', local: [] });
    sources.apply([configuration('default', { vxlanVNI: 9 })]);
    sources.apply([
      {
        kind: 'FelixConfiguration',
        key: { kind: 'FelixConfiguration', name: 'default' },
        value: undefined,
        revision: '2',
      },
    ]);
    expect(sources.resolve().values.vxlanVNI).toBe(4096);
  });
});

describe('dataplaneSettings()', () => {
  test('honours the iptables names where those for nf_tables are not set', () => {
    const local = localFelixSources({ FELIX_IptablesMarkMask: '0xff000000' }, nothing);
    const { values, set } = new ConfigSources({ hostname: 'h', local }).resolve();
    expect(dataplaneSettings(values, set).markMask).toBe(0xff000000);
  });
});
