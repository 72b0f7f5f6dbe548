import type { FelixConfiguration } from '../api/kinds/felix-configuration.js';
import type { ResourceUpdate } from '../api/resource-update.js';
import {
  felixEnvironment,
  felixFile,
  felixResource,
  resolveFelixParameters,
  type FelixSource,
  type ResolvedFelixParameters,
} from '../api/felix-sources.js';
import type { FelixValues } from '../api/felix-parameters.js';
import { CalicoError } from '../base/errors.js';
import type { DataplaneSettings } from '../dataplane/settings.js';
import { DEFAULT_SETTINGS } from '../dataplane/settings.js';
import { compileSelector, type LabelPredicate } from '../selector/evaluate.js';
import { parseSelector } from '../selector/parser.js';

/** Where the file lies that the documentation names. */
export const FELIX_CONFIG_FILE = '/etc/calico/felix.cfg';

/**
 * The sources that lie on the host itself: environment, then the file's text when there is one.
 *
 * @param readFile gives undefined for a file that is not there
 */
export function localFelixSources(
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string | undefined,
): readonly FelixSource[] {
  const contents = readFile(FELIX_CONFIG_FILE);
  const file = contents === undefined ? [] : [felixFile(FELIX_CONFIG_FILE, contents)];
  return [felixEnvironment(environment), ...file];
}

/**
 * Puts the agent's parameters together from the host and the datastore. Precedence: environment, file, FelixConfiguration `node.<host>`,
 * the oldest one whose nodeSelector fits this host, `default`, built-in.
 */
export class ConfigSources {
  readonly #hostname: string;
  readonly #local: readonly FelixSource[];
  readonly #resources = new Map<string, FelixConfiguration>();
  #nodeLabels: ReadonlyMap<string, string> = new Map();

  constructor({ hostname, local }: { readonly hostname: string; readonly local: readonly FelixSource[] }) {
    this.#hostname = hostname;
    this.#local = local;
  }

  /** Takes in FelixConfigurations and this host's Node. Returns true when the parameters may have changed. */
  apply(updates: readonly ResourceUpdate[]): boolean {
    let isTouched = false;
    for (const update of updates) {
      if (update.kind === 'FelixConfiguration') {
        if (update.value === undefined) this.#resources.delete(update.key.name);
        else this.#resources.set(update.key.name, update.value);
        isTouched = true;
      } else if (update.kind === 'Node' && update.key.name === this.#hostname) {
        this.#nodeLabels = new Map(Object.entries(update.value?.metadata.labels ?? {}));
        isTouched = true;
      }
    }
    return isTouched;
  }

  resolve(): ResolvedFelixParameters {
    const own = this.#resources.get(`node.${this.#hostname}`);
    const common = this.#resources.get('default');
    const stored = [own, this.#selected(), common].filter((resource) => resource !== undefined);
    return resolveFelixParameters([...this.#local, ...stored.map((resource) => felixResource(resource))]);
  }

  #selected(): FelixConfiguration | undefined {
    const fitting = [...this.#resources.values()].filter((resource) => this.#fits(resource));
    const age = ({ metadata }: FelixConfiguration): string => `${metadata.creationTimestamp ?? '9'} ${metadata.name}`;
    return fitting.toSorted((a, b) => (age(a) < age(b) ? -1 : 1))[0];
  }

  #fits({ metadata, spec }: FelixConfiguration): boolean {
    const text: unknown = spec['nodeSelector'];
    if (typeof text !== 'string' || metadata.name === 'default' || metadata.name.startsWith('node.')) return false;
    return readSelector(text)?.(this.#nodeLabels) ?? false;
  }
}

/** A selector that cannot be read fits nobody. */
function readSelector(text: string): LabelPredicate | undefined {
  try {
    return compileSelector(parseSelector(text));
  } catch (error) {
    if (error instanceof CalicoError) return undefined;
    throw error;
  }
}

/** The dataplane's part of the parameters. */
export function dataplaneSettings(values: FelixValues, set: ReadonlySet<string>): DataplaneSettings {
  // Both names exist for the mark and the verdict; what was set for nf_tables wins, else what was set for iptables.
  const markMask =
    set.has('nftablesMarkMask') || !set.has('iptablesMarkMask') ? values.nftablesMarkMask : values.iptablesMarkMask;
  const denyAction =
    set.has('nftablesFilterDenyAction') || !set.has('iptablesFilterDenyAction')
      ? values.nftablesFilterDenyAction
      : values.iptablesFilterDenyAction;
  return {
    ...DEFAULT_SETTINGS,
    interfacePrefixes: values.interfacePrefix,
    markMask,
    denyAction,
    endpointToHostAction: values.defaultEndpointToHostAction,
    ipv6: values.ipv6Support,
    logPrefix: values.logPrefix,
    allowVxlanFromWorkloads: values.allowVXLANPacketsFromWorkloads,
    allowIpipFromWorkloads: values.allowIPIPPacketsFromWorkloads,
    vxlanPort: values.vxlanPort,
    disableConntrackInvalidCheck: values.disableConntrackInvalidCheck,
    ipForwarding: values.ipForwarding === 'enabled',
    removeExternalRoutes: values.removeExternalRoutes,
  };
}
