import { condition } from '../base/conditions.js';

export const PLUGIN_NOT_SERVED = condition<{ reason: string }>({
  code: 'docker-plugin',
  severity: 'error',
  text: ({ reason }) => `Docker's networks do not work: ${reason}`,
});

export const SWARM_REFUSES = condition({
  code: 'docker-swarm',
  severity: 'warning',
  text: () =>
    'Docker refuses new networks with driver "calico": the engine is part of a swarm, and CALICO_LIBNETWORK_SCOPE=global tells it that hosts share them',
  hint: "take CALICO_LIBNETWORK_SCOPE from calico-node's environment, restart it, then Docker",
});

export const ENGINE_AWAY = condition<{ reason: string }>({
  code: 'docker-engine',
  severity: 'warning',
  text: ({ reason }) => reason,
  hint: 'start Docker, or name its socket in DOCKER_HOST',
  // A restart of the engine is no news.
  showAfterMs: 60_000,
});

export const NAMES_NOT_SERVED = condition<{ container: string; reason: string }>({
  code: 'docker-names',
  severity: 'warning',
  text: ({ container, reason }) =>
    `container "${container}" is not told the names of containers on other hosts: ${reason}`,
  hint: 'use addresses instead of names; CALICO_LIBNETWORK_RESOLVE_NAMES=false in the environment of calico-node ends the attempts',
});
