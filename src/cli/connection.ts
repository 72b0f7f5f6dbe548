import { CalicoError, UnsupportedError } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';
import type { DatastoreSettings } from './config.js';

/**
 * Opens the datastore that the settings name: an etcd, or, when they name none, the one that `calico-node` keeps on this host.
 * Nothing is sent yet.
 */
export async function openDatastore(settings: DatastoreSettings): Promise<Datastore> {
  const type = settings['CALICO_DATASTORE_TYPE'] ?? settings['DATASTORE_TYPE'] ?? 'etcdv3';
  if (type !== 'etcdv3') {
    throw new UnsupportedError(
      'ERR_CALI_CLI_DATASTORE',
      `datastore ${type}`,
      `datastore type "${type}" is not supported`,
      {
        hint: 'set DATASTORE_TYPE=etcdv3 and ETCD_ENDPOINTS',
      },
    );
  }
  const [{ EtcdDatastore }, { checkEtcdConfig, etcdConfigFromEnvironment }] = await Promise.all([
    import('../datastore/etcd/etcd-datastore.js'),
    import('../datastore/etcd/config.js'),
  ]);
  const config = etcdConfigFromEnvironment(settings);
  if (config === undefined) {
    const { EMBEDDED_ETCD_ENDPOINT, EMBEDDED_ETCD_SOCKET } = await import('../datastore/etcd/embedded.js');
    await refuseAbsentSocket(EMBEDDED_ETCD_SOCKET);
    return new EtcdDatastore({ endpoints: [EMBEDDED_ETCD_ENDPOINT] });
  }
  const inline = {
    ...(settings['ETCD_CA_CERT'] === undefined ? {} : { caCert: settings['ETCD_CA_CERT'] }),
    ...(settings['ETCD_CERT'] === undefined ? {} : { cert: settings['ETCD_CERT'] }),
    ...(settings['ETCD_KEY'] === undefined ? {} : { key: settings['ETCD_KEY'] }),
  };
  return new EtcdDatastore(checkEtcdConfig({ ...config, ...inline }));
}

async function refuseAbsentSocket(path: string): Promise<void> {
  const { access } = await import('node:fs/promises');
  try {
    await access(path);
  } catch (cause) {
    throw new CalicoError('ERR_CALI_CLI_DATASTORE', `no datastore: ETCD_ENDPOINTS is not set and there is no ${path}`, {
      hint: 'start calico-node on this host, or set ETCD_ENDPOINTS=http://HOST:2379',
      cause,
    });
  }
}
