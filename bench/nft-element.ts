import { execFileSync } from 'node:child_process';
import { KernelNftables } from '../src/nftables/kernel.js';
import { dport, saddr } from '../src/nftables/match.js';
import { type Chain, chain, elements, set, table } from '../src/nftables/objects.js';
import { rule } from '../src/nftables/rule.js';
import { accept, changeMark } from '../src/nftables/statements.js';
import { Transaction } from '../src/nftables/transaction.js';
import { NetworkNamespace } from '../src/sys/namespace.js';
import { lineOfTimes, timed } from './figures/figures.js';

/** Changes to nf_tables in process, against the `nft` command that comes to the same. In a namespace of its own. */

const isShort = process.env['SHORT'] === '1';
const MEMBERS = 100_000;
const RULES_IN_CHAIN = 20;
const CHAINS = isShort ? 100 : 500;
const ROUNDS = isShort ? 3 : 5;
const OURS_ROUNDS = isShort ? 500 : 3000;

const T = table('inet', 'bench');
const HOSTS = set(T, 'hosts', 'ipv4_addr');
const addresses = Array.from({ length: MEMBERS }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);

/** The median: half of all edits are faster. */
async function median(rounds: number, work: (round: number) => unknown): Promise<number> {
  return (await sorted(rounds, work))[Math.floor(rounds / 2)] ?? 0;
}

/** The best, for long work: the machine is shared, and noise only ever adds. */
async function best(work: (round: number) => unknown): Promise<number> {
  return (await sorted(ROUNDS, work))[0] ?? 0;
}

async function sorted(rounds: number, work: (round: number) => unknown): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(await timed(() => Promise.resolve(work(round))));
  }
  return times.sort((a, b) => a - b);
}

function rulesOf(of: Chain, round: number): ReturnType<typeof rule>[] {
  return Array.from({ length: RULES_IN_CHAIN }, (_, i) =>
    rule(of, [saddr(4, `10.${round & 255}.0.${i}`), dport('tcp', 1000 + i), changeMark(0x10000, 0x10000), accept], {
      comment: `np shop/web ingress ${i}`,
    }),
  );
}

function wholeRuleset(kernel: KernelNftables): Transaction {
  const transaction = new Transaction(kernel).add(T).delete(T).add(T);
  for (let i = 0; i < CHAINS; i += 1) {
    const of = chain(T, `pi-${i}`);
    transaction.add(of);
    for (const made of rulesOf(of, i)) transaction.add(made);
  }
  return transaction;
}

using namespace = NetworkNamespace.create();
using kernel = KernelNftables.open({ namespace });
const nft = (...args: string[]): unknown => namespace.run(() => execFileSync('nft', args, { maxBuffer: 2 ** 28 }));
const nftRead = (input: string): unknown => namespace.run(() => execFileSync('nft', ['-f', '-'], { input }));

await new Transaction(kernel).add(T).add(HOSTS).commit();
const filled = elements(HOSTS, addresses);
const emptyAndFill = `flush set inet bench hosts\nadd element inet bench hosts { ${addresses.join(', ')} }\n`;
lineOfTimes(
  'nft 100k members at once',
  await best(() => new Transaction(kernel).flush(HOSTS).add(filled).commit()),
  await best(() => nftRead(emptyAndFill)),
);

// One element beside a hundred thousand others, added and deleted in turn.
const one = elements(HOSTS, ['192.0.2.7']);
lineOfTimes(
  'nft one member',
  await median(OURS_ROUNDS, (round) => new Transaction(kernel)[round % 2 === 0 ? 'add' : 'delete'](one).commit()),
  await median(ROUNDS * 4, (round) =>
    nft(round % 2 === 0 ? 'add' : 'delete', 'element', 'inet', 'bench', 'hosts', '{ 192.0.2.7 }'),
  ),
);

const wholeText = wholeRuleset(kernel).print();
lineOfTimes(
  `nft ${CHAINS * RULES_IN_CHAIN} rules at once`,
  await best(() => wholeRuleset(kernel).commit()),
  await best(() => nftRead(wholeText)),
);
lineOfTimes(
  `nft ${CHAINS * RULES_IN_CHAIN} rules read back`,
  await best(() => kernel.readTable(T)),
  await best(() => nft('-a', 'list', 'table', 'inet', 'bench')),
);

const edited = chain(T, 'pi-7');
const edit = (round: number): Transaction => {
  const transaction = new Transaction(kernel).flush(edited);
  for (const made of rulesOf(edited, round)) transaction.add(made);
  return transaction;
};
const editText = edit(0).print();
lineOfTimes(
  `nft chain of ${RULES_IN_CHAIN} rules rewritten`,
  await median(OURS_ROUNDS / 5, (round) => edit(round).commit()),
  await median(ROUNDS * 2, () => nftRead(editText)),
);
