import { describe, expect, test } from 'vitest';
import { ConflictError, KernelError, UnavailableError, UnsupportedError } from '../base/errors.js';
import { encodeAttributes } from '../netlink/attributes.js';
import { type Message, NLM_F_ACK, NLM_F_DUMP } from '../netlink/message.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { FakeTransport, ackReply, dumpReply, messageBytes } from '../netlink/transport.fake.js';
import { NETLINK_NETFILTER } from '../sys/constants.js';
import { writeMembers } from './element-codec.js';
import { KernelNftables } from './kernel.js';
import { reversePathFails, saddrIn } from './match.js';
import { chain, elements, set, table } from './objects.js';
import { rule } from './rule.js';
import { drop } from './statements.js';
import { writeSet } from './set-codec.js';
import { Transaction } from './transaction.js';
import { messageType } from './wire.js';

const T = table('inet', 't');
const X = chain(T, 'x');
const S = set(T, 's', 'ipv4_addr');
const ENOENT = 2;
const ERESTART = 85;
const GENMSG = Buffer.from([1, 0, 0, 0]);

function kernelOn(answer: (request: Message) => readonly Buffer[]): KernelNftables {
  return new KernelNftables(new NetlinkSocket(new FakeTransport(answer), NETLINK_NETFILTER));
}

function generationReply(request: Message, generation: number): Buffer[] {
  const attributes = encodeAttributes((into) => into.u32BE(1, generation));
  const head = { type: messageType('NEWGEN'), sequence: request.sequence };
  return [messageBytes(head, Buffer.concat([GENMSG, attributes])), ackReply(request)];
}

/** Refuses the messages of one type with an errno, pointing where told; acknowledges the rest when asked. */
function refusing(type: number, errno: number, offset?: (request: Message) => number): KernelNftables {
  return kernelOn((request) => {
    if (request.type === messageType('GETGEN')) return generationReply(request, 1);
    if (request.type === type) {
      return [ackReply(request, errno, offset === undefined ? {} : { offset: offset(request), text: 'no such thing' })];
    }
    return (request.flags & NLM_F_ACK) === 0 ? [] : [ackReply(request)];
  });
}

const offsetOf =
  (word: string) =>
  (request: Message): number =>
    16 + request.payload.indexOf(word);

describe('KernelNftables.commit()', () => {
  test('an expression the kernel lacks is an unsupported feature', async () => {
    const kernel = refusing(messageType('NEWRULE'), ENOENT, offsetOf('fib'));
    const error: unknown = await new Transaction(kernel)
      .add(rule(X, [reversePathFails(), drop]))
      .commit()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({
      feature: 'nf_tables expression fib',
      message:
        'this kernel has no nf_tables expression "fib": cannot add rule inet t x fib saddr . mark . iif oif 0 drop',
    });
  });

  test('a set that is not there is a refusal, with the kernel’s words', async () => {
    const kernel = refusing(messageType('NEWRULE'), ENOENT, offsetOf('lookup'));
    const commit = new Transaction(kernel).add(rule(X, [saddrIn(4, 's'), drop])).commit();
    await expect(commit).rejects.toThrow(KernelError);
    await expect(commit).rejects.toThrow('cannot add rule inet t x ip saddr @s drop: ENOENT (kernel: "no such thing")');
  });

  test('of many members it names the one the kernel points at, also beyond the first message', async () => {
    const members = Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const wanted = Buffer.from([10, 0, 39, 15]);
    const kernel = kernelOn((request) => {
      const at = request.payload.indexOf(wanted);
      if (request.type === messageType('DELSETELEM') && at >= 0) {
        return [ackReply(request, ENOENT, { offset: 16 + at - 8 })];
      }
      return (request.flags & NLM_F_ACK) === 0 ? [] : [ackReply(request)];
    });
    await expect(new Transaction(kernel).delete(elements(S, members)).commit()).rejects.toThrow(
      'cannot delete element inet t s { 10.0.39.15 }: ENOENT',
    );
  });

  test('a generation that has passed is a conflict', async () => {
    const kernel = refusing(0x10, ERESTART);
    await expect(new Transaction(kernel).add(T).commit({ generation: 7 })).rejects.toThrow(ConflictError);
  });

  test('a refusal of the whole names no object', async () => {
    const kernel = refusing(0x10, 12);
    await expect(new Transaction(kernel).add(T).commit()).rejects.toThrow('cannot commit the ruleset: ENOMEM');
  });

  test('commits are sent in the order they were asked for, also behind one that takes long to write', async () => {
    const sent: number[] = [];
    const kernel = kernelOn((request) => {
      if (request.type === messageType('GETGEN')) return generationReply(request, sent.length);
      if (request.type >> 8 === 10) sent.push(request.type & 255);
      return (request.flags & NLM_F_ACK) === 0 ? [] : [ackReply(request)];
    });
    const members = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    await Promise.all([
      new Transaction(kernel).add(elements(S, members)).commit(),
      new Transaction(kernel).add(X).commit(),
      new Transaction(kernel).delete(X).commit(),
    ]);
    // NEWSETELEM, then NEWCHAIN, DELCHAIN.
    expect(new Set(sent.slice(0, -2))).toEqual(new Set([12]));
    expect(sent.slice(-2)).toEqual([3, 5]);
  });
});

describe('KernelNftables.readTable()', () => {
  /** A kernel with one empty table whose generation is what `generations` gives, one after the other. */
  function changing(generations: () => number): { readonly kernel: KernelNftables; readonly asked: () => number } {
    let asked = 0;
    const kernel = kernelOn((request) => {
      if (request.type === messageType('GETGEN')) {
        asked += 1;
        return generationReply(request, generations());
      }
      if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP) return dumpReply(request, request.type - 1, []);
      const named = encodeAttributes((into) => into.string(1, 't'));
      const head = { type: messageType('NEWTABLE'), sequence: request.sequence };
      return [messageBytes(head, Buffer.concat([GENMSG, named])), ackReply(request)];
    });
    return { kernel, asked: () => asked };
  }

  test('reads again when somebody committed meanwhile', async () => {
    const generations = [1, 2, 3, 3];
    const { kernel, asked } = changing(() => generations.shift() ?? 0);
    const seen = await kernel.readTable(T);
    expect(seen?.generation).toBe(3);
    expect(asked()).toBe(4);
  });

  test('gives up on a table that never rests', async () => {
    let generation = 0;
    const { kernel } = changing(() => (generation += 1));
    await expect(kernel.readTable(T)).rejects.toThrow(UnavailableError);
    await expect(kernel.readTable(T)).rejects.toThrow(
      'cannot read table inet t: it changed during each of 10 attempts',
    );
  });

  test('an absent table is undefined, another refusal an error', async () => {
    const answering = (errno: number): KernelNftables =>
      kernelOn((request) =>
        request.type === messageType('GETGEN') ? generationReply(request, 1) : [ackReply(request, errno)],
      );
    expect(await answering(ENOENT).readTable(T)).toBeUndefined();
    await expect(answering(1).readTable(T)).rejects.toThrow('cannot read table inet t: EPERM');
  });

  /** A kernel whose table has the set {@link S}, and gives these members when asked for them, dump after dump. */
  function giving(dumps: readonly (readonly string[])[]): {
    readonly kernel: KernelNftables;
    readonly asked: () => number;
  } {
    let asked = 0;
    const shape = { tableName: 't', name: 's', key: S.key };
    const parts: Partial<Record<number, () => Buffer>> = {
      [messageType('GETSET')]: () => encodeAttributes((into) => writeSet(into, { ...shape, id: 1 })),
      [messageType('GETSETELEM')]: () => {
        const members = dumps[Math.min(asked, dumps.length - 1)] ?? [];
        asked += 1;
        return encodeAttributes((into) => {
          writeMembers(into, { tableName: 't', setName: 's' }, shape, { members, from: 0 });
        });
      },
    };
    const kernel = kernelOn((request) => {
      if (request.type === messageType('GETGEN')) return generationReply(request, 1);
      const named = encodeAttributes((into) => into.string(1, 't'));
      if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP) {
        const part = parts[request.type]?.();
        return dumpReply(request, request.type - 1, part === undefined ? [] : [[Buffer.concat([GENMSG, part])]]);
      }
      const head = { type: messageType('NEWTABLE'), sequence: request.sequence };
      return [messageBytes(head, Buffer.concat([GENMSG, named])), ackReply(request)];
    });
    return { kernel, asked: () => asked };
  }

  test('reads a set again whose elements moved meanwhile: one is there twice, another left out', async () => {
    const all = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const { kernel, asked } = giving([['192.0.2.1', '192.0.2.2', '192.0.2.1'], [...all, '192.0.2.2'], all]);
    const seen = await kernel.readTable(T);
    expect(seen?.sets.get('s')?.elements.map(({ key }) => key)).toEqual(all);
    expect(asked()).toBe(3);
  });

  test('gives up on a set that never rests', async () => {
    const { kernel, asked } = giving([['192.0.2.1', '192.0.2.1']]);
    await expect(kernel.readTable(T)).rejects.toThrow(
      'cannot read set inet t s: its elements moved during each of 10 attempts',
    );
    expect(asked()).toBe(10);
  });
});
