import { baseChain, table } from '../nftables/objects.js';
import { KernelNftables } from '../nftables/kernel.js';
import { daddr, dport, markIs } from '../nftables/match.js';
import { rule } from '../nftables/rule.js';
import { accept, dnatTo, drop, limitPackets } from '../nftables/statements.js';
import { Transaction } from '../nftables/transaction.js';
import type { NetworkNamespace } from '../sys/namespace.js';

/** Where engines answer names inside each container; fixed in them. */
export const ENGINE_RESOLVER = '127.0.0.11';
export const DNS_PORT = 53;
/** On the packets of our own questions to the engine; they never leave the container's namespace. */
export const OWN_QUESTIONS_MARK = 0xca11;
const ALL_BITS = 0xffff_ffff;
/** Just before the engine's own rules, at the priority of NAT: whoever comes first decides. */
const BEFORE_DESTINATION_NAT = -110;

/** A container that asks more often talks to its engine itself; one that floods is not heard. */
const CONVERSATIONS_PER_SECOND = 1_000;
const PACKETS_PER_SECOND = 5_000;

/** Where a namespace's questions go meanwhile, on 127.0.0.1. */
export interface InterceptPorts {
  readonly udp: number;
  readonly tcp: number;
}

/**
 * Leads a container's questions for the engine to us. The rules live no longer than what this returns, nor than this process: when it ends
 * in whatever way, the kernel takes them away and the engine hears its containers itself again.
 *
 * @throws {KernelError} the namespace is gone, or a kernel before Linux 5.12
 */
export async function intercept(namespace: NetworkNamespace, ports: InterceptPorts): Promise<Disposable> {
  const kernel = KernelNftables.open({ namespace });
  const names = table('ip', 'calico-names', { owner: true });
  const output = baseChain(names, 'output', { type: 'nat', hook: 'output', priority: BEFORE_DESTINATION_NAT });
  const questions = (['udp', 'tcp'] as const).map((protocol) =>
    rule(output, [
      daddr(4, `${ENGINE_RESOLVER}/32`),
      dport(protocol, DNS_PORT),
      markIs(ALL_BITS, OWN_QUESTIONS_MARK, { not: true }),
      limitPackets(CONVERSATIONS_PER_SECOND, CONVERSATIONS_PER_SECOND),
      dnatTo('127.0.0.1', ports[protocol]),
    ]),
  );
  // A chain of NAT sees the first packet of a conversation alone.
  const input = baseChain(names, 'input', { type: 'filter', hook: 'input', priority: 0 });
  const flood = [
    rule(input, [dport('udp', ports.udp), limitPackets(PACKETS_PER_SECOND, PACKETS_PER_SECOND), accept]),
    rule(input, [dport('udp', ports.udp), drop]),
  ];
  try {
    const transaction = new Transaction(kernel).add(names).add(output).add(input);
    for (const each of [...questions, ...flood]) transaction.add(each);
    await transaction.commit();
  } catch (error) {
    kernel.close();
    throw error;
  }
  return { [Symbol.dispose]: () => kernel.close() };
}
