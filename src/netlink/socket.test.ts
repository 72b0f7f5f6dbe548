import { describe, expect, test } from 'vitest';
import { KernelError, UnavailableError } from '../base/errors.js';
import { NetlinkError, OverrunError } from './errors.js';
import { type Message, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, oneRequest, Requests } from './message.js';
import { NetlinkSocket } from './socket.js';
import { ackReply, dumpReply, type FakeReply, FakeTransport, messageBytes } from './transport.fake.js';

function socketOn(answer: (request: Message, count: number) => readonly FakeReply[], timeoutMs = 1000) {
  const transport: FakeTransport = new FakeTransport((request) => answer(request, transport.requests.length));
  return { transport, socket: new NetlinkSocket(transport, 0, { timeoutMs }) };
}

const list = (): Requests => oneRequest({ type: 18, what: () => 'list links' });

describe('NetlinkSocket.request()', () => {
  test('gives the replies before the acknowledgement, in the turn that asked', async () => {
    const { socket, transport } = socketOn((request) => [
      messageBytes({ type: 16, sequence: request.sequence }, Buffer.from('lo')),
      ackReply(request),
    ]);
    const replies = await socket.request(list());
    expect(replies.map(({ payload }) => payload.toString())).toEqual(['lo']);
    expect(transport.requests[0]?.flags).toBe(1 | NLM_F_ACK);
  });

  test('a refusal says what was attempted, errno, the kernel’s words and where', async () => {
    const { socket } = socketOn((request) => [ackReply(request, 22, { text: 'Invalid mask', offset: 20 })]);
    const error = await socket.request(list()).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(NetlinkError);
    expect(error).toMatchObject({
      message: 'cannot list links: EINVAL (kernel: "Invalid mask")',
      code: 'ERR_CALI_KERNEL_EINVAL',
      errno: 22,
      offset: 20,
      sequence: 1,
    });
  });

  test('waits for an answer that comes in a later turn', async () => {
    const { socket, transport } = socketOn((request) => [ackReply(request)]);
    transport.late = true;
    const pending = socket.request(list());
    setImmediate(() => transport.release());
    expect(await pending).toEqual([]);
  });

  test('an answer that never comes is an error, and the late one is not taken for the next', async () => {
    const { socket, transport } = socketOn((request) => [ackReply(request, request.sequence === 1 ? 1 : 0)], 5);
    transport.late = true;
    await expect(socket.request(list())).rejects.toThrowError('the kernel did not answer within 5 ms');
    transport.late = false;
    transport.release();
    expect(await socket.request(list())).toEqual([]);
  });

  test('ignores notifications and answers to others', async () => {
    const { socket } = socketOn((request) => [
      messageBytes({ type: 16, sequence: 0 }, Buffer.from('news')),
      ackReply({ ...request, sequence: 4711 }, 1),
      ackReply(request),
    ]);
    expect(await socket.request(list())).toEqual([]);
  });

  test('lost answers are an overrun', async () => {
    const { socket } = socketOn(() => ['overrun']);
    await expect(socket.request(list())).rejects.toBeInstanceOf(OverrunError);
  });

  test('bytes that are no message are refused', async () => {
    const { socket } = socketOn(() => [Buffer.from('not netlink')]);
    await expect(socket.request(list())).rejects.toThrowError(
      'malformed netlink data: 11 bytes after the last message',
    );
  });

  test('a failed system call is no refusal: nothing was sent', async () => {
    const { socket, transport } = socketOn((request) => [ackReply(request)]);
    transport.send = () => {
      throw new KernelError({ operation: 'send 16 bytes to netlink', errno: 90, errnoName: 'EMSGSIZE' });
    };
    const error = await socket.request(list()).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(KernelError);
    expect(error).not.toBeInstanceOf(NetlinkError);
  });

  test('operations run one at a time, in the order they were called', async () => {
    const { socket, transport } = socketOn((request) => [ackReply(request)]);
    transport.late = true;
    const done: number[] = [];
    const all = [1, 2, 3].map((n) => socket.request(list()).then(() => done.push(n)));
    expect(transport.requests).toHaveLength(1);
    const release = setInterval(() => transport.release(), 1);
    await Promise.all(all);
    clearInterval(release);
    expect(done).toEqual([1, 2, 3]);
  });

  test('closing fails what waits, and what comes after', async () => {
    const { socket, transport } = socketOn(() => []);
    const waiting = socket.request(list());
    const queued = socket.request(list());
    socket.close();
    socket.close();
    await expect(waiting).rejects.toThrowError('the netlink socket is closed');
    await expect(queued).rejects.toThrowError('the netlink socket is closed');
    await expect(socket.dump(list())).rejects.toThrowError('the netlink socket is closed');
    expect(transport.isClosed).toBe(true);
  });
});

describe('NetlinkSocket.dump()', () => {
  const links = [[Buffer.from('lo'), Buffer.from('eth0')], [Buffer.from('cali1')]];

  test('collects several messages of several datagrams', async () => {
    const { socket, transport } = socketOn((request) => dumpReply(request, 16, links));
    expect((await socket.dump(list())).map(({ payload }) => payload.toString())).toEqual(['lo', 'eth0', 'cali1']);
    expect(transport.requests[0]?.flags).toBe(1 | NLM_F_DUMP);
  });

  test('begins again when the list changed underneath', async () => {
    const { socket, transport } = socketOn((request, count) =>
      dumpReply(request, 16, links, count < 3 ? NLM_F_DUMP_INTR : 0),
    );
    expect(await socket.dump(list())).toHaveLength(3);
    expect(transport.requests).toHaveLength(3);
  });

  test('gives up when it always changes', async () => {
    const { socket, transport } = socketOn((request) => dumpReply(request, 16, links, NLM_F_DUMP_INTR));
    const error = await socket.dump(list()).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(String(error)).toContain('cannot list links: it changed during each of 10 attempts to list it');
    expect(transport.requests).toHaveLength(10);
  });

  test('an errno at the end of the list is a refusal', async () => {
    const done = (request: Message): Buffer => {
      const errno = Buffer.alloc(4);
      errno.writeInt32LE(-105);
      return messageBytes({ type: 3, flags: 2, sequence: request.sequence }, errno);
    };
    const { socket } = socketOn((request) => [...dumpReply(request, 16, links).slice(0, 2), done(request)]);
    await expect(socket.dump(list())).rejects.toThrowError('cannot list links: ENOBUFS');
  });

  test('a list of which the end was lost is an overrun, and its rest is not taken for the next', async () => {
    const { socket } = socketOn((request, count) =>
      count === 1 ? ['overrun', ...dumpReply(request, 16, links)] : dumpReply(request, 16, [[Buffer.from('new')]]),
    );
    await expect(socket.dump(list())).rejects.toBeInstanceOf(OverrunError);
    expect((await socket.dump(list())).map(({ payload }) => payload.toString())).toEqual(['new']);
  });
});

describe('NetlinkSocket.requestAll()', () => {
  function many(count: number): Requests {
    const requests = new Requests();
    for (let i = 0; i < count; i += 1) requests.add({ type: 24, what: () => `add route ${i}` }, (w) => w.u32(1, i));
    return requests;
  }

  test('only the last of a run asks for an acknowledgement; refusals are told by index', async () => {
    const { socket, transport } = socketOn((request) => {
      const index = request.payload.readUInt32LE(4);
      if (index === 7 || index === 249) return [ackReply(request, 17)];
      return (request.flags & NLM_F_ACK) === 0 ? [] : [ackReply(request)];
    });
    const refusals = await socket.requestAll(many(250));
    expect(refusals.map(({ index, error }) => [index, error.message])).toEqual([
      [7, 'cannot add route 7: EEXIST'],
      [249, 'cannot add route 249: EEXIST'],
    ]);
    expect(transport.requests.filter(({ flags }) => (flags & NLM_F_ACK) !== 0)).toHaveLength(3);
    expect(await socket.requestAll(new Requests())).toEqual([]);
  });
});

describe('NetlinkSocket.batch()', () => {
  function batchOf(...flags: readonly number[]): Requests {
    const requests = new Requests();
    for (const flag of flags) requests.add({ type: 0xa00, flags: flag });
    return requests;
  }

  test('is applied when the acknowledgement comes alone', async () => {
    const { socket } = socketOn((request) => ((request.flags & NLM_F_ACK) === 0 ? [] : [ackReply(request)]));
    expect(await socket.batch(batchOf(0, NLM_F_ACK, 0))).toEqual({ refusals: [], messages: [], firstSequence: 1 });
  });

  test('collects every refusal, also of the batch as a whole', async () => {
    const { socket } = socketOn((request) => {
      if (request.sequence === 2) return [ackReply(request, 2), ackReply({ ...request, sequence: 1 }, 85)];
      return request.sequence === 3 ? [ackReply(request)] : [];
    });
    const { refusals } = await socket.batch(batchOf(0, 0, NLM_F_ACK, 0));
    expect(refusals.map(({ index, error }) => [index, error.errnoName])).toEqual([
      [1, 'ENOENT'],
      [0, 'ERESTART'],
    ]);
  });

  test('gives what the kernel echoes', async () => {
    const { socket } = socketOn((request) =>
      request.sequence === 1
        ? [messageBytes({ type: 0xa06, sequence: 1 }, Buffer.from('rule')), ackReply(request)]
        : [],
    );
    const { messages } = await socket.batch(batchOf(NLM_F_ACK, 0));
    expect(messages.map(({ payload }) => payload.toString())).toEqual(['rule']);
  });
});
