import type { FelixSource } from '../api/felix-sources.js';
import { type Clock, sleep } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { CalicoError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { type Backoff, retry } from '../base/retry.js';
import type { Datastore } from '../datastore/datastore.js';
import { EMBEDDED_ETCD_ENDPOINT, type EmbeddedEtcd, startEmbeddedEtcd } from '../datastore/etcd/embedded.js';
import { EtcdDatastore } from '../datastore/etcd/etcd-datastore.js';
import { agentEtcdConfig } from '../felix/felix-program.js';
import { ETCD_NOT_STARTED } from './conditions.js';
import type { Environment } from './settings.js';

/** The datastore of this host. */
export interface NodeDatastore {
  readonly datastore: Datastore;
  /** It is this host's own etcd. */
  readonly isSingleHost: boolean;
}

export interface DatastoreSurroundings {
  readonly log: Log;
  readonly clock: Clock;
  readonly conditions: Conditions;
}

const BACKOFF: Backoff = { initialMs: 500, maxMs: 10_000 };
/** How often the own etcd is looked after. */
const LOOK_MS = 1_000;

/**
 * Opens the datastore that the environment names; where it names none, this host's own etcd, which is adopted or started and
 * started again whenever it ends, until the signal aborts.
 *
 * @throws {CalicoError} the environment makes no sense, or there is no etcd to start
 */
export async function openNodeDatastore(
  environment: Environment,
  local: readonly FelixSource[],
  surroundings: DatastoreSurroundings,
  signal: AbortSignal,
): Promise<NodeDatastore> {
  const config = agentEtcdConfig(environment, local);
  const isSingleHost = config.endpoints[0] === EMBEDDED_ETCD_ENDPOINT;
  if (isSingleHost) {
    const etcd = await startOwnEtcd(surroundings, signal, (error) => error.code === 'ERR_CALI_ETCD_START');
    void keepOwnEtcd(etcd, surroundings, signal).catch((error: unknown) =>
      surroundings.log.error('nobody looks after etcd any more', { error }),
    );
  }
  return { datastore: new EtcdDatastore(config), isSingleHost };
}

async function startOwnEtcd(
  { log, clock, conditions }: DatastoreSurroundings,
  signal: AbortSignal,
  isWorthRetrying: (error: CalicoError) => boolean,
): Promise<EmbeddedEtcd> {
  const etcd = await retry(() => startEmbeddedEtcd({ clock, signal }), {
    clock,
    random: Math.random,
    backoff: BACKOFF,
    signal,
    isWorthRetrying: (error) => error instanceof CalicoError && isWorthRetrying(error),
    onWait: (error) =>
      conditions.raise(ETCD_NOT_STARTED, { reason: error instanceof Error ? error.message : String(error) }),
  });
  conditions.clear(ETCD_NOT_STARTED);
  log.info(etcd.isAdopted ? "found this host's own etcd running" : "started this host's own etcd", {
    etcdPid: etcd.pid,
  });
  return etcd;
}

// A call, so that the compiler does not take an earlier answer for the present one.
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function keepOwnEtcd(
  started: EmbeddedEtcd,
  surroundings: DatastoreSurroundings,
  signal: AbortSignal,
): Promise<void> {
  let etcd = started;
  for (;;) {
    await sleep(surroundings.clock, LOOK_MS, signal);
    if (signal.aborted) return;
    if (await etcd.isRunning()) continue;
    surroundings.log.warn("this host's own etcd has ended: starting it again");
    try {
      // It ran once: whatever is in its way now may go again.
      etcd = await startOwnEtcd(surroundings, signal, () => true);
    } catch (error) {
      if (!isAborted(signal)) throw error;
    }
  }
}
