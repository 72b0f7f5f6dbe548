import { API_VERSION } from '../../api/meta.js';
import type { PublicResourceByKind } from '../../api/registry.js';
import { AlreadyExistsError } from '../../base/errors.js';
import type { Client } from '../../client/client.js';

type SettingsKind = 'BGPConfiguration' | 'FelixConfiguration';

/** What `config` and its like change. */
export interface SettingsKey {
  readonly kind: SettingsKind;
  readonly name: string;
}

export type Settings = Readonly<Record<string, unknown>>;

/** The settings of a resource; none where there is no such resource. */
export async function readSettings(client: Client, key: SettingsKey): Promise<Settings> {
  return (await client.find<SettingsKind>(key))?.value.spec ?? {};
}

/** Writes settings, made from those there are. */
export async function editSettings(
  client: Client,
  key: SettingsKey,
  edit: (settings: Settings) => Settings,
): Promise<void> {
  if ((await client.find<SettingsKind>(key)) === undefined) {
    const metadata = { name: key.name };
    const first = { apiVersion: API_VERSION, kind: key.kind, metadata, spec: edit({}) };
    try {
      await client.create(first as PublicResourceByKind[SettingsKind]);
      return;
    } catch (error) {
      // Somebody else was quicker.
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
  }
  await client.change<SettingsKind>(key, (newest) => ({ ...newest, spec: edit(newest.spec) }));
}
