import { describe, expect, test } from 'vitest';
import { readDockerSettings } from './settings.js';

describe('readDockerSettings()', () => {
  test('has the defaults that users of Docker expect', () => {
    expect(readDockerSettings({})).toEqual({
      isEnabled: false,
      scope: undefined,
      interfacePrefix: 'cali',
      createProfiles: true,
      labelEndpoints: true,
      resolveNames: true,
      mtu: undefined,
      publishedPorts: 'refuse',
      engineAddress: '/var/run/docker.sock',
    });
  });

  test('takes words in any case, and only the word that changes something', () => {
    const settings = readDockerSettings({
      CALICO_LIBNETWORK_ENABLED: 'True',
      CALICO_LIBNETWORK_CREATE_PROFILES: 'FALSE',
      CALICO_LIBNETWORK_LABEL_ENDPOINTS: 'no',
      CALICO_LIBNETWORK_VETH_MTU: '1400',
      CALICO_LIBNETWORK_IFPREFIX: 'eth',
      DOCKER_HOST: ' unix:///run/docker.sock',
    });
    expect(settings).toMatchObject({
      isEnabled: true,
      createProfiles: false,
      labelEndpoints: true,
      mtu: 1_400,
      interfacePrefix: 'eth',
      engineAddress: 'unix:///run/docker.sock',
    });
  });

  test.each([
    ['CALICO_LIBNETWORK_VETH_MTU', '70000'],
    ['CALICO_LIBNETWORK_SCOPE', 'swarm'],
    ['CALICO_LIBNETWORK_IFPREFIX', 'far-too-long-a-prefix'],
    ['CALICO_LIBNETWORK_PUBLISHED_PORTS', 'yes'],
  ])('refuses %s=%s', (variable, value) => {
    expect(() => readDockerSettings({ [variable]: value })).toThrow(
      expect.objectContaining({ code: 'ERR_CALI_DOCKER_SETTING', where: { field: variable } }),
    );
  });
});
