import { performance } from 'node:perf_hooks';
import { systemClock } from '../base/clock.js';
import { CalicoError, UnavailableError } from '../base/errors.js';
import type { Poll } from '../sys/libc.js';
import { debugMessage, isDebugging } from './debug.js';
import { NetlinkError } from './errors.js';
import {
  extendedAck,
  type Message,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  parseMessages,
  replyErrno,
  type Requests,
} from './message.js';
import { KernelTransport, type KernelTransportOptions, type Transport } from './transport.js';

// Errors are always answered, and the kernel takes a datagram's messages in order: so only the last of a run asks for an
// acknowledgement. Even if each of them failed, the answers (under 1 KiB of socket memory each) fit the receive queue.
const RUN_MESSAGES = 100;
const RUN_BYTES = 64 * 1024;
// Answers are read in the turn that asked; after this long the event loop gets its turn.
const SLICE_MS = 5;
const DUMP_ATTEMPTS = 10;

/** One request of many that the kernel refused. */
export interface Refusal {
  /** Position in the {@link Requests}. */
  readonly index: number;
  readonly error: NetlinkError;
}

/** What came back for a batch. */
export interface BatchReply {
  /** In the order the kernel gave them; empty when the batch was applied. */
  readonly refusals: readonly Refusal[];
  /** Messages other than acknowledgements, e.g. for NLM_F_ECHO; `sequence - firstSequence` is the request's index. */
  readonly messages: readonly Message[];
  readonly firstSequence: number;
}

export interface SocketOptions {
  /** How long an answer may take. The kernel answers at once: this turns a lost answer into an error. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Takes a reply; true when it was the last one expected. */
type Sink = (message: Message) => boolean;

interface Expectation {
  readonly first: number;
  readonly last: number;
  readonly sink: Sink;
}

/**
 * Asks the kernel and collects its answers. Operations run one at a time, in the order they were called.
 *
 * The kernel handles a request inside the sending call, so the answer is normally read in the same turn (about 5 µs); only when it
 * is not there the socket polls. Long answers and long runs of requests let the event loop turn every 5 ms. For multicast groups use
 * a socket of its own (`monitor.ts`).
 */
export class NetlinkSocket {
  readonly #transport: Transport;
  readonly #protocol: number;
  readonly #timeoutMs: number;
  readonly #queue: (() => void)[] = [];
  #busy = false;
  #closed = false;
  #sequence = 1;
  #expected: Expectation | undefined;
  /** Answers of an operation that was given up may still arrive. */
  #hasLeftovers = false;
  #abortWait: ((error: Error) => void) | undefined;

  /** @param protocol the netlink family's number, for readable debug output */
  constructor(transport: Transport, protocol: number, options: SocketOptions = {}) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  /**
   * @param protocol NETLINK_ROUTE, NETLINK_NETFILTER …
   * @throws {KernelError} the kernel does not have that protocol, or the namespace is gone
   * @example using socket = NetlinkSocket.open(NETLINK_ROUTE, { namespace: '/run/netns/blue' });
   */
  static open(protocol: number, options: SocketOptions & KernelTransportOptions = {}): NetlinkSocket {
    return new NetlinkSocket(KernelTransport.open(protocol, options), protocol, options);
  }

  /** What the kernel names as the cause of changes made through this socket (`RouteEvent.causedBy`). */
  get portId(): number {
    return this.#transport.portId;
  }

  /**
   * One request; waits for its acknowledgement.
   * @returns the replies before the acknowledgement, if any
   * @throws {NetlinkError} the kernel refused
   * @throws {UnavailableError} no answer in time, or answers were lost ({@link OverrunError})
   */
  async request(requests: Requests): Promise<Message[]> {
    return this.#exclusive(async () => {
      const messages: Message[] = [];
      let refusal: NetlinkError | undefined;
      const first = this.#reserve(1);
      await this.#exchange(requests.datagram({ from: 0, to: 1, sequence: first, lastFlags: NLM_F_ACK }), {
        first,
        last: first,
        sink: (message) => {
          if (message.type !== NLMSG_ERROR) {
            messages.push(message);
            return false;
          }
          refusal = refusalOf(message, () => requests.what(0));
          return true;
        },
      });
      if (refusal !== undefined) throw refusal;
      return messages;
    });
  }

  /**
   * Lists objects; begins again when the kernel says that the list changed underneath (NLM_F_DUMP_INTR).
   * @throws {NetlinkError} the kernel refused
   * @throws {UnavailableError} changed ten times in a row (`ERR_CALI_NETLINK_INTERRUPTED`), no answer, answers lost
   */
  async dump(requests: Requests): Promise<Message[]> {
    return this.#exclusive(async () => {
      for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt += 1) {
        const messages = await this.#dumpOnce(requests);
        if (messages !== undefined) return messages;
      }
      throw new UnavailableError(
        'ERR_CALI_NETLINK_INTERRUPTED',
        `cannot ${requests.what(0)}: it changed during each of ${DUMP_ATTEMPTS} attempts to list it`,
      );
    });
  }

  /**
   * Many independent requests, pipelined: about 5–10 µs each. A refused one does not stop the others.
   * @returns those the kernel refused, by index; empty when all went well
   * @throws {KernelError} a system call failed
   * @throws {UnavailableError} answers were lost: some may be applied; list and see
   */
  async requestAll(requests: Requests): Promise<Refusal[]> {
    return this.#exclusive(async () => {
      const refusals: Refusal[] = [];
      let sliceStart = performance.now();
      for (let from = 0; from < requests.count;) {
        const to = requests.chunkEnd(from, RUN_MESSAGES, RUN_BYTES);
        await this.#exchangeRun(requests, { from, to }, refusals);
        from = to;
        if (from < requests.count && performance.now() - sliceStart > SLICE_MS) {
          await systemClock.nextTurn();
          sliceStart = performance.now();
        }
      }
      return refusals;
    });
  }

  /**
   * All requests in one datagram, for families that apply them together (nf_tables: NFNL_MSG_BATCH_BEGIN … END). At least one must
   * carry NLM_F_ACK. Nothing is sent in pieces, whatever its size; the kernel decides before this call's turn ends.
   * @throws {KernelError} a system call failed: nothing was applied
   * @throws {UnavailableError} answers were lost: read the state back
   */
  async batch(requests: Requests): Promise<BatchReply> {
    return this.#exclusive(async () => {
      const refusals: Refusal[] = [];
      const messages: Message[] = [];
      const first = this.#reserve(requests.count);
      const last = first + requests.count - 1;
      let decided = false;
      const take: Sink = (message) => {
        if (message.type !== NLMSG_ERROR) {
          messages.push(message);
          return false;
        }
        decided = true;
        const index = message.sequence - first;
        const error = refusalOf(message, () => requests.what(index));
        if (error !== undefined) refusals.push({ index, error });
        // Never the last: with several errors there is no telling which one is; an empty queue decides.
        return false;
      };
      const datagram = requests.datagram({ from: 0, to: requests.count, sequence: first, lastFlags: 0 });
      await this.#exchange(datagram, { first, last, sink: take }, () => decided);
      return { refusals, messages, firstSequence: first };
    });
  }

  /** Fails what is waiting and closes the descriptor. Twice is fine. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transport.close();
    this.#abortWait?.(closedError());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #dumpOnce(requests: Requests): Promise<Message[] | undefined> {
    const messages: Message[] = [];
    let interrupted = false;
    let refusal: NetlinkError | undefined;
    const first = this.#reserve(1);
    await this.#exchange(requests.datagram({ from: 0, to: 1, sequence: first, lastFlags: NLM_F_DUMP }), {
      first,
      last: first,
      sink: (message) => {
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          refusal = refusalOf(message, () => requests.what(0));
          return true;
        }
        messages.push(message);
        return false;
      },
    });
    if (refusal !== undefined) throw refusal;
    return interrupted ? undefined : messages;
  }

  async #exchangeRun(requests: Requests, run: { from: number; to: number }, refusals: Refusal[]): Promise<void> {
    const first = this.#reserve(run.to - run.from);
    const last = first + run.to - run.from - 1;
    const datagram = requests.datagram({ ...run, sequence: first, lastFlags: NLM_F_ACK });
    await this.#exchange(datagram, {
      first,
      last,
      sink: (message) => {
        if (message.type !== NLMSG_ERROR) return false;
        const index = run.from + message.sequence - first;
        const error = refusalOf(message, () => requests.what(index));
        if (error !== undefined) refusals.push({ index, error });
        return message.sequence === last;
      },
    });
  }

  /** Sends and feeds the answers to the sink until it is satisfied, or, with `whenEmpty`, until the queue is empty and that holds. */
  async #exchange(datagram: Buffer, expected: Expectation, whenEmpty: () => boolean = () => false): Promise<void> {
    if (this.#closed) throw closedError();
    if (this.#hasLeftovers) this.#discardLeftovers();
    if (isDebugging) this.#debug('>', datagram);
    this.#transport.send(datagram);
    this.#expected = expected;
    this.#hasLeftovers = true;
    const deadline = performance.now() + this.#timeoutMs;
    for (let state = this.#drain(); state !== 'done'; state = this.#drain()) {
      if (state === 'paused') {
        await systemClock.nextTurn();
      } else {
        if (whenEmpty()) break;
        await this.#waitReadable(deadline);
      }
      if (this.#closed) throw closedError();
    }
    this.#expected = undefined;
    this.#hasLeftovers = false;
  }

  #drain(): 'done' | 'empty' | 'paused' {
    const sliceStart = performance.now();
    for (;;) {
      const datagram = this.#transport.receive();
      if (datagram === undefined) return 'empty';
      if (isDebugging) this.#debug('<', datagram);
      let done = false;
      for (const message of parseMessages(datagram)) done = this.#take(message) || done;
      if (done) return 'done';
      if (performance.now() - sliceStart > SLICE_MS) return 'paused';
    }
  }

  #take(message: Message): boolean {
    const expected = this.#expected;
    if (expected === undefined || message.type === NLMSG_NOOP) return false;
    // What answers nobody waits for any more carries an older number.
    if (message.sequence < expected.first || message.sequence > expected.last) return false;
    return expected.sink(message);
  }

  #waitReadable(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let poll: Poll | undefined;
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        poll?.stop();
        this.#abortWait = undefined;
        finish();
      };
      const timer = setTimeout(
        () => {
          const error = new UnavailableError(
            'ERR_CALI_NETLINK_TIMEOUT',
            `the kernel did not answer within ${this.#timeoutMs} ms`,
          );
          settle(() => reject(error));
        },
        Math.max(0, deadline - performance.now()),
      );
      this.#abortWait = (error) => settle(() => reject(error));
      poll = this.#transport.onReadable(() => settle(resolve));
    });
  }

  /** Reads away what an operation that failed half-way left behind; a dump left half-read would refuse the next one. */
  #discardLeftovers(): void {
    for (;;) {
      try {
        if (this.#transport.receive() === undefined) break;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
      }
    }
    this.#expected = undefined;
    this.#hasLeftovers = false;
  }

  /** Sequence numbers for `count` requests: never 0, which marks notifications, and never wrapping inside a run. */
  #reserve(count: number): number {
    if (this.#sequence + count > 0xffffffff) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  async #exclusive<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#busy) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#busy = true;
    try {
      return await operation();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#busy = false;
      else next();
    }
  }

  #debug(direction: '>' | '<', datagram: Buffer): void {
    for (const message of parseMessages(datagram)) debugMessage(direction, this.#protocol, message);
  }
}

function refusalOf(message: Message, what: () => string): NetlinkError | undefined {
  const errno = replyErrno(message);
  if (errno === 0) return undefined;
  return new NetlinkError({ operation: what(), errno, sequence: message.sequence, ack: extendedAck(message) });
}

function closedError(): CalicoError {
  return new CalicoError('ERR_CALI_NETLINK_CLOSED', 'the netlink socket is closed');
}
