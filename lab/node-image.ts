import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { must, repositoryRoot } from './processes.js';

const IMAGE_MS = 120_000;

function changedMs(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/**
 * The archive of the image `calico/node`, for `docker load`: made of what is built, and anew when that is newer; about ten seconds.
 *
 * @returns its path
 */
export async function nodeImage(): Promise<string> {
  const root = repositoryRoot();
  const archive = join(root, 'dist/image/calico-node.tar');
  if (changedMs(archive) <= changedMs(join(root, 'dist/.built'))) {
    await must([join(root, 'scripts/tool'), 'image'], { timeoutMs: IMAGE_MS });
  }
  return archive;
}
