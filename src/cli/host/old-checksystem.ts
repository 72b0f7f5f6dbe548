import { CalicoError } from '../../base/errors.js';
import { DockerEngine } from '../../docker/engine.js';
import { checkSystem, type Section } from './check-system.js';
import type { Context } from '../command.js';
import type { Result } from '../result.js';

/** API versions of the engine: networks of a plug-in came with the second. */
const LEAST_API = { plain: '1.16', libnetwork: '1.21' } as const;

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

async function engineSection(context: Context, hasLibnetwork: boolean): Promise<Section> {
  const title = 'Checking the Docker engine...';
  const name = 'docker';
  const least = hasLibnetwork ? LEAST_API.libnetwork : LEAST_API.plain;
  try {
    const { version, apiVersion } = await DockerEngine.fromEnvironment(context.environment).version();
    const isNew = isAtLeast(apiVersion, least);
    const verdict = isNew
      ? `OK (${version}, API ${apiVersion})`
      : `FAILED: API ${apiVersion}, at least ${least} is needed`;
    return { title, findings: [{ name, verdict, isFatal: !isNew }] };
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error;
    // Without its network plug-in, the product runs without Docker too.
    const verdict = `${hasLibnetwork ? 'FAILED' : 'WARNING'}: ${error.message}`;
    return { title, findings: [{ name, verdict, isFatal: hasLibnetwork }] };
  }
}

/** The first era's `checksystem`: the check of today, and the engine's version. */
export async function checkOldSystem(
  context: Context,
  { runtime, hasLibnetwork }: { readonly runtime: string; readonly hasLibnetwork: boolean },
): Promise<Result> {
  const more = runtime === 'docker' ? [await engineSection(context, hasLibnetwork)] : [];
  return checkSystem({ more });
}
