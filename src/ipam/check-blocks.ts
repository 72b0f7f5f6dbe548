import { parseBlockAffinityName } from '../api/kinds/block-affinity.js';
import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { addressBits } from '../net/address.js';
import { formatPrefix, networkOf, parsePrefix, type Prefix, tryParsePrefix } from '../net/prefix.js';
import { isConfirmed } from './affinity.js';
import type { Problem } from './check.js';
import type { IpamSnapshot } from './check-snapshot.js';
import { poolFrom, poolOfBlock } from './pools.js';

type Entry = IpamSnapshot['blocks'][number];

/** What is wrong with the block in itself; undefined when it is whole. */
function damageOf(name: string, block: IPAMBlock): string | undefined {
  const prefix = tryParsePrefix(name);
  if (prefix === undefined || block.cidr !== name) return `it lies under the name of ${name}, and says ${block.cidr}`;
  const { allocations, unallocated, attributes } = block;
  const size = 2 ** (addressBits(prefix.address.family) - prefix.length);
  if (allocations.length !== size) return `it has ${allocations.length} addresses in place of ${size}`;
  const free = new Set(unallocated);
  if (free.size !== unallocated.length) return 'an address is in its queue of free ones twice';
  for (const [ordinal, index] of allocations.entries()) {
    if (index === null && !free.has(ordinal))
      return `address ${ordinal} is neither assigned nor in the queue of free ones`;
    if (index !== null && free.has(ordinal)) return `address ${ordinal} is assigned, and in the queue of free ones`;
    if (index !== null && attributes[index] === undefined) return `address ${ordinal} is assigned to nobody it knows`;
  }
  if (free.size > allocations.filter((index) => index === null).length) return 'its queue of free ones names others';
  return undefined;
}

function checkWholeness({ key, value }: Entry): readonly Problem[] {
  const damage = damageOf(key.name, value);
  if (damage === undefined) return [];
  return [{ type: 'block-damaged', subject: key.name, text: `block ${key.name} is damaged: ${damage}` }];
}

/** Blocks of different sizes that cover the same addresses. */
function checkOverlaps(prefixes: readonly Prefix[]): readonly Problem[] {
  const names = new Set(prefixes.map(formatPrefix));
  const lengths = [...new Set(prefixes.map(({ length }) => length))];
  return prefixes.flatMap(({ address, length }) => {
    const name = formatPrefix({ address, length });
    const wider = lengths
      .filter((other) => other < length)
      .map((other) => formatPrefix(networkOf({ address, length: other })));
    return wider
      .filter((other) => names.has(other))
      .map(
        (other) =>
          ({ type: 'blocks-overlap', subject: name, text: `block ${name} lies within block ${other}` }) as const,
      );
  });
}

function ownerProblems(snapshot: IpamSnapshot): readonly Problem[] {
  const claims = new Set(snapshot.affinities.filter(({ value }) => value.deleted !== true).map(({ key }) => key.name));
  const nodes = new Set(snapshot.nodes.map(({ key }) => key.name));
  return snapshot.blocks.flatMap(({ key: { name }, value: { affinity } }): Problem[] => {
    if (affinity === undefined) return [];
    const node = /^host:(.+)$/.exec(affinity)?.[1];
    const problems: Problem[] = [];
    if (!claims.has(`${affinity}/${name}`)) {
      const text = `block ${name} belongs to "${affinity}", which has no affinity to it`;
      problems.push({ type: 'block-without-affinity', subject: name, text });
    }
    if (node !== undefined && !nodes.has(node)) {
      problems.push({
        type: 'block-of-missing-node',
        subject: name,
        text: `block ${name} belongs to node "${node}", which is gone`,
      });
    }
    return problems;
  });
}

function affinityProblems(snapshot: IpamSnapshot): readonly Problem[] {
  const owners = new Map(snapshot.blocks.map(({ key, value }) => [key.name, value.affinity]));
  return snapshot.affinities.flatMap(({ key, value }): Problem[] => {
    const parsed = parseBlockAffinityName(key.name);
    if (parsed === undefined || value.deleted === true) return [];
    const { type, owner, cidr } = parsed;
    const subject = key.name;
    const who = `"${type}:${owner}"`;
    if (!owners.has(cidr)) {
      return [
        {
          type: 'affinity-without-block',
          subject,
          text: `${who} has an affinity to block ${cidr}, which does not exist`,
        },
      ];
    }
    const holder = owners.get(cidr);
    if (holder !== `${type}:${owner}`) {
      const whose = holder === undefined ? 'nobody' : `"${holder}"`;
      const text = `${who} has an affinity to block ${cidr}, which belongs to ${whose}`;
      return [{ type: 'affinity-contradicts', subject, text }];
    }
    if (isConfirmed(value)) return [];
    return [
      {
        type: 'affinity-unfinished',
        subject,
        text: `the affinity of ${who} to block ${cidr} is ${value.state ?? ''}: somebody broke off`,
      },
    ];
  });
}

/** What is wrong with blocks and with who owns them. */
export function checkBlocks(snapshot: IpamSnapshot): readonly Problem[] {
  const pools = snapshot.pools.flatMap(({ value }) => poolFrom(value) ?? []);
  const readable = snapshot.blocks.filter(({ key }) => tryParsePrefix(key.name) !== undefined);
  const outside = readable.filter(({ key }) => poolOfBlock(pools, key.name) === undefined);
  return [
    ...snapshot.blocks.flatMap(checkWholeness),
    ...checkOverlaps(readable.map(({ key }) => parsePrefix(key.name))),
    ...outside.map(({ key: { name } }): Problem => ({
      type: 'block-outside-pools',
      subject: name,
      text: `block ${name} lies in no IP pool`,
    })),
    ...ownerProblems(snapshot),
    ...affinityProblems(snapshot),
  ];
}
