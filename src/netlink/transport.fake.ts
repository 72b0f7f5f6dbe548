import type { Poll } from '../sys/libc.js';
import { align4, encodeAttributes } from './attributes.js';
import { OverrunError } from './errors.js';
import {
  type Message,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  parseMessages,
} from './message.js';
import type { Transport } from './transport.js';

/** A datagram to be received, or a loss of datagrams in its place. */
export type FakeReply = Uint8Array | 'overrun';

/**
 * A kernel that is a function from a request to its answers. Every request sent is kept in `requests`.
 *
 * Answers are there at once, as with the real one; with `late`, only after {@link FakeTransport.release}.
 */
export class FakeTransport implements Transport {
  readonly requests: Message[] = [];
  readonly groups: number[] = [];
  readonly portId = 4242;
  isClosed = false;
  late = false;
  readonly #answer: (request: Message) => readonly FakeReply[];
  readonly #ready: FakeReply[] = [];
  #held: FakeReply[] = [];
  #callback: (() => void) | undefined;

  constructor(answer: (request: Message) => readonly FakeReply[]) {
    this.#answer = answer;
  }

  send(datagram: Uint8Array): void {
    for (const request of parseMessages(Buffer.from(datagram))) {
      this.requests.push(request);
      (this.late ? this.#held : this.#ready).push(...this.#answer(request));
    }
  }

  receive(): Buffer | undefined {
    const next = this.#ready.shift();
    if (next === 'overrun') throw new OverrunError();
    return next === undefined ? undefined : Buffer.from(next);
  }

  onReadable(callback: () => void): Poll {
    this.#callback = callback;
    if (this.#ready.length > 0) setImmediate(callback);
    return {
      keepAlive: () => undefined,
      stop: () => {
        this.#callback = undefined;
      },
    };
  }

  join(group: number): void {
    this.groups.push(group);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Delivers what nobody asked for: a notification. */
  deliver(...replies: readonly FakeReply[]): void {
    this.#ready.push(...replies);
    this.#callback?.();
  }

  /** Delivers the answers held back by `late`. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    this.deliver(...held);
  }
}

/** The bytes of one message. */
export function messageBytes(head: { type: number; flags?: number; sequence?: number }, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(align4(NLMSG_HDRLEN + payload.length));
  bytes.writeUInt32LE(NLMSG_HDRLEN + payload.length, 0);
  bytes.writeUInt16LE(head.type, 4);
  bytes.writeUInt16LE(head.flags ?? 0, 6);
  bytes.writeUInt32LE(head.sequence ?? 0, 8);
  bytes.set(payload, NLMSG_HDRLEN);
  return bytes;
}

/** An acknowledgement, or with an errno a refusal, with the kernel's words when given. */
export function ackReply(request: Message, errno = 0, said: { text?: string; offset?: number } = {}): Buffer {
  const head = Buffer.alloc(4 + NLMSG_HDRLEN);
  head.writeInt32LE(-errno, 0);
  head.writeUInt32LE(NLMSG_HDRLEN + request.payload.length, 4);
  head.writeUInt16LE(request.type, 8);
  head.writeUInt32LE(request.sequence, 12);
  const attributes = encodeAttributes((writer) => {
    if (said.text !== undefined) writer.string(1, said.text);
    if (said.offset !== undefined) writer.u32(2, said.offset);
  });
  const flags = NLM_F_CAPPED | (attributes.length > 0 ? NLM_F_ACK_TLVS : 0);
  return messageBytes({ type: NLMSG_ERROR, flags, sequence: request.sequence }, Buffer.concat([head, attributes]));
}

/** A dump's answer: one datagram per list of payloads, then NLMSG_DONE. */
export function dumpReply(
  request: Message,
  type: number,
  datagrams: readonly (readonly Uint8Array[])[],
  flags = 0,
): Buffer[] {
  const head = { type, flags: NLM_F_MULTI | flags, sequence: request.sequence };
  const parts = datagrams.map((payloads) => Buffer.concat(payloads.map((payload) => messageBytes(head, payload))));
  const done = messageBytes({ ...head, type: NLMSG_DONE }, Buffer.alloc(4));
  return [...parts, done];
}
