import type { IPAMBlock, IPAMBlockAttribute } from '../api/kinds/ipam-block.js';
import type { Datastore } from '../datastore/datastore.js';
import { formatAddress } from '../net/address.js';
import { addressAt, attributeAt, ordinalsOf } from './block.js';

/** An address that one host took from the block of another, because it found no block of its own. */
export interface BorrowedAddress {
  readonly address: string;
  /** The host that uses it. */
  readonly borrower: string;
  readonly block: string;
  readonly owner: string;
  /** What has it: `pod`, `workload`, or what its attribute `type` says. */
  readonly type: string;
  /** Its name: `shop/web`, or the handle where nothing else is known. */
  readonly holder: string;
}

function holderOf({ secondary = {}, handle_id: handle = '' }: IPAMBlockAttribute): { type: string; holder: string } {
  const { pod, namespace, workload, type } = secondary;
  const name = pod ?? workload;
  if (name === undefined) return { type: type ?? '', holder: handle };
  const holder = namespace === undefined ? name : `${namespace}/${name}`;
  return { type: type ?? (pod === undefined ? 'workload' : 'pod'), holder };
}

function borrowedIn(block: IPAMBlock): readonly BorrowedAddress[] {
  const owner = /^(?:host|virtual):(.+)$/.exec(block.affinity ?? '')?.[1];
  if (owner === undefined) return [];
  return ordinalsOf(block).flatMap((ordinal) => {
    const attribute = attributeAt(block, ordinal);
    const borrower = attribute?.secondary?.['node'];
    if (attribute === undefined || borrower === undefined || borrower === owner) return [];
    const address = formatAddress(addressAt(block, ordinal));
    return [{ address, borrower, block: block.cidr, owner, ...holderOf(attribute) }];
  });
}

/** Every borrowed address, by block and then in order. Those whose holder does not say its node are not known to be borrowed. */
export async function readBorrowed(datastore: Datastore): Promise<readonly BorrowedAddress[]> {
  const { items } = await datastore.list('IPAMBlock');
  return items.flatMap(({ value }) => borrowedIn(value));
}
