import { condition } from '../base/conditions.js';

/** What can ail a host, in words; log and node status show them. A cause named in `dependsOn` silences its consequences. */

export const DATASTORE_UNREACHABLE = condition<{ reason: string }>({
  code: 'datastore-unreachable',
  severity: 'error',
  text: ({ reason }) => `${reason}; this host goes on enforcing what it knows`,
  hint: 'nothing is lost: it catches up by itself when the datastore is back',
});

export const ETCD_NOT_STARTED = condition<{ reason: string }>({
  code: 'etcd-not-started',
  severity: 'error',
  text: ({ reason }) => `this host's own etcd does not start: ${reason}`,
  hint: 'read /var/log/calico/etcd.log, or name a shared etcd in ETCD_ENDPOINTS',
});

export const SINGLE_HOST_DATASTORE = condition({
  code: 'single-host-datastore',
  severity: 'info',
  text: () => 'single-host datastore: no other host shares this etcd',
  hint: 'to join hosts, start calico-node on each with ETCD_ENDPOINTS=http://HOST:2379 of one shared etcd, and apply your resources there',
});

export const NAME_NOT_KEPT = condition<{ reason: string }>({
  code: 'name-not-kept',
  severity: 'warning',
  text: ({ reason }) => `other programs of this host do not learn its node's name: ${reason}`,
  hint: 'make /var/lib/calico writable, or set NODENAME for each of them',
});

export const RULES_REFUSED = condition<{ reason: string }>({
  code: 'rules-refused',
  severity: 'error',
  text: ({ reason }) => `the kernel refused the newest rules, the ones before stay: ${reason}`,
});

export const PARTLY_PROGRAMMED = condition<{ reason: string }>({
  code: 'partly-programmed',
  severity: 'warning',
  text: ({ reason }) => `not done yet, tried again: ${reason}`,
  dependsOn: ['rules-refused'],
  showAfterMs: 1_000,
});

export const BAD_PARAMETER = condition<{ problem: string }>({
  code: 'bad-parameter',
  severity: 'warning',
  text: ({ problem }) => problem,
});

export const NO_DEFAULT_ROUTE = condition({
  code: 'no-default-route',
  severity: 'warning',
  text: () => 'this host has no IPv4 default route: workloads get no answer from their gateway 169.254.1.1',
  hint: 'add one, for instance: ip route add default via GATEWAY',
});

export const NO_HOST_ADDRESS = condition<{ warning: string }>({
  code: 'host-address',
  severity: 'warning',
  text: ({ warning }) => warning,
});

export const BGP_DOWN = condition<{ reason: string }>({
  code: 'bgp-down',
  severity: 'error',
  text: ({ reason }) => `routes to other hosts are not exchanged: ${reason}`,
});

export const PROBES_NOT_SERVED = condition<{ reason: string }>({
  code: 'probes-not-served',
  severity: 'warning',
  text: ({ reason }) => reason,
});

/** Codes of those that whoever raises them logs in more detail. */
export const LOGGED_ELSEWHERE: ReadonlySet<string> = new Set(
  [DATASTORE_UNREACHABLE, RULES_REFUSED, PARTLY_PROGRAMMED, BAD_PARAMETER].map(({ code }) => code),
);
