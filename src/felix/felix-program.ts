import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type FelixSource, resolveFelixParameters } from '../api/felix-sources.js';
import type { FelixValues } from '../api/felix-parameters.js';
import { CalicoError, UnsupportedError } from '../base/errors.js';
import { createLog, type Log } from '../base/log.js';
import { type EtcdConfig, checkEtcdConfig, etcdConfigFromEnvironment } from '../datastore/etcd/config.js';
import { EMBEDDED_ETCD_ENDPOINT } from '../datastore/etcd/embedded.js';
import { EtcdDatastore } from '../datastore/etcd/etcd-datastore.js';
import { Agent } from './agent.js';
import { AgentLog } from './agent-log.js';
import { localFelixSources } from './config-sources.js';
import { runDaemon } from './daemon.js';
import { Health } from './health.js';
import { keepYoungGenerationSmall } from './memory.js';
import { SoleAgent } from './sole-agent.js';

const USAGE = `calico-felix: enforces policy and routes workloads on this host, as the datastore says.

Usage: calico-felix [--help | --version]

Configured by FELIX_… variables and /etc/calico/felix.cfg; the datastore also by DATASTORE_TYPE and ETCD_ENDPOINTS.
Without an endpoint it uses this host's own etcd (${EMBEDDED_ETCD_ENDPOINT}), which calico-node starts.
`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a file; undefined when it is not there. @throws {CalicoError} `ERR_CALI_FELIX_FILE` it cannot be read */
export function readOptionalFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CalicoError('ERR_CALI_FELIX_FILE', `cannot read ${path}`, { cause: error });
  }
}

function etcdFromParameters(values: FelixValues): EtcdConfig | undefined {
  const listed = values.EtcdEndpoints;
  const endpoints =
    listed.length > 0 ? listed : values.EtcdAddr === '' ? [] : [`${values.EtcdScheme}://${values.EtcdAddr}`];
  if (endpoints.length === 0) return undefined;
  return checkEtcdConfig({
    endpoints,
    ...(values.EtcdCaFile === '' ? {} : { caCertFile: values.EtcdCaFile }),
    ...(values.EtcdCertFile === '' ? {} : { certFile: values.EtcdCertFile }),
    ...(values.EtcdKeyFile === '' ? {} : { keyFile: values.EtcdKeyFile }),
  });
}

/** Where the datastore is: the agent's own parameters, then the variables every program knows, then this host's own etcd. */
export function agentEtcdConfig(environment: Environment, local: readonly FelixSource[]): EtcdConfig {
  const { values, problems } = resolveFelixParameters(local);
  const fatal = problems.find(({ isFatal }) => isFatal);
  if (fatal !== undefined) throw new CalicoError('ERR_CALI_FELIX_PARAMETER', fatal.message);
  const type = environment['DATASTORE_TYPE'] ?? values.DatastoreType;
  if (type !== 'etcdv3') {
    throw new UnsupportedError('ERR_CALI_FELIX_DATASTORE', 'datastore', `datastore type "${type}" is not built yet`, {
      hint: 'set DATASTORE_TYPE=etcdv3',
    });
  }
  return (
    etcdFromParameters(values) ?? etcdConfigFromEnvironment(environment) ?? { endpoints: [EMBEDDED_ETCD_ENDPOINT] }
  );
}

function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new CalicoError('ERR_CALI_FELIX_NOT_ROOT', 'calico-felix programs the kernel and must run as root', {
    hint: 'run it with sudo, or as a service of the system',
  });
}

async function serve(environment: Environment, log: Log, signal: AbortSignal): Promise<void> {
  requireRoot();
  keepYoungGenerationSmall();
  const local = localFelixSources(environment, readOptionalFile);
  const { values } = resolveFelixParameters(local);
  await using _sole = await SoleAgent.claim('calico-felix');
  const health = new Health();
  if (values.healthEnabled) await health.serve({ host: values.healthHost, port: values.healthPort }, signal);
  await using datastore = new EtcdDatastore(agentEtcdConfig(environment, local));
  const name = (values.FelixHostname === '' ? hostname() : values.FelixHostname).toLowerCase();
  log.info(`calico-felix for host "${name}" with ${datastore.description}`);
  const agent = new Agent({ hostname: name, datastore, local, observer: new AgentLog(log, health) });
  health.report('FelixStartup', { isReady: true });
  await agent.run(signal);
  log.info('stopped; rules and routes stay in the kernel');
}

/** The program `calico-felix`. @returns its exit status */
export function runFelix(words: readonly string[], environment: Environment): Promise<number> {
  return runDaemon(words, {
    name: 'calico-felix',
    usage: USAGE,
    usageCode: 'ERR_CALI_FELIX_USAGE',
    serve: (signal) => serve(environment, createLog(), signal),
  });
}
