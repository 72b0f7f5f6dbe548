import type { IPAMHandle } from '../api/kinds/ipam-handle.js';
import type { ResourceKey } from '../api/resource-update.js';
import type { IpamTransaction } from './transaction.js';

/** The part before a carriage return: container runtimes were seen to add one. */
export function cleanHandleId(handleId: string): string {
  const end = handleId.indexOf('\r');
  return end < 0 ? handleId : handleId.slice(0, end);
}

export function handleKey(handleId: string): ResourceKey<'IPAMHandle'> {
  return { kind: 'IPAMHandle', name: handleId };
}

function withCount(handle: IPAMHandle | undefined, cidr: string, count: number): IPAMHandle | undefined {
  const { [cidr]: _, ...others } = handle?.block ?? {};
  const block = count > 0 ? { ...others, [cidr]: count } : others;
  return Object.keys(block).length === 0 ? undefined : { ...handle, block, deleted: false };
}

/** Counts addresses of a block in; makes the handle when it is new. Do it before the block is written. */
export async function incrementHandle(
  transaction: IpamTransaction,
  handleId: string,
  cidr: string,
  by: number,
): Promise<void> {
  const key = handleKey(handleId);
  const handle = await transaction.getLikelyNew(key);
  transaction.set(key, withCount(handle, cidr, (handle?.block[cidr] ?? 0) + by));
}

/**
 * Counts addresses of a block out; a handle that holds none is deleted. Do it after the block is written. A missing handle is no error:
 * counts may be too high after a crash, never too low.
 *
 * @param remaining addresses of the block that the handle still holds: at zero the block is struck out whatever the count said
 */
export async function decrementHandle(
  transaction: IpamTransaction,
  handleId: string,
  cidr: string,
  change: { readonly by: number; readonly remaining: number },
): Promise<void> {
  const key = handleKey(handleId);
  const handle = await transaction.get(key);
  if (handle === undefined) return;
  const count = change.remaining === 0 ? 0 : Math.max(change.remaining, (handle.block[cidr] ?? 0) - change.by);
  transaction.set(key, withCount(handle, cidr, count));
}
