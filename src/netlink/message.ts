import { align4, Attributes, AttributeWriter } from './attributes.js';
import { type ExtendedAck, malformed } from './errors.js';

// include/uapi/linux/netlink.h: struct nlmsghdr { __u32 len; __u16 type; __u16 flags; __u32 seq; __u32 pid; }
export const NLMSG_HDRLEN = 16;
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x01;
export const NLM_F_MULTI = 0x02;
export const NLM_F_ACK = 0x04;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

const TYPE_OFFSET = 4;
const FLAGS_OFFSET = 6;
const SEQUENCE_OFFSET = 8;

/** One message as received. `payload` is what follows the header and stays valid. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly portId: number;
  readonly payload: Buffer;
}

/** What a request says beside its body. */
export interface RequestHead {
  readonly type: number;
  /** NLM_F_REQUEST is always set; acknowledgements are the socket's business. */
  readonly flags?: number;
  /** What is being attempted, for the error: `add route 192.0.2.7/32 dev cali1`. Called only when it fails. */
  readonly what?: () => string;
}

/**
 * Several requests one after the other in one buffer, as a datagram carries them. The socket numbers them when it sends.
 *
 * @example new Requests().add({ type: RTM_NEWROUTE, flags: NLM_F_CREATE }, (body) => encodeRoute(body, route))
 */
export class Requests {
  readonly #writer: AttributeWriter;
  readonly #starts: number[] = [];
  readonly #whats: ((() => string) | undefined)[] = [];

  /** @param initialBytes memory to begin with; it grows by doubling */
  constructor(initialBytes = 512) {
    this.#writer = new AttributeWriter(initialBytes);
  }

  get count(): number {
    return this.#starts.length;
  }

  get sizeBytes(): number {
    return this.#writer.length;
  }

  /** Appends a request; `body` writes the fixed header and the attributes. */
  add(head: RequestHead, body?: (writer: AttributeWriter) => void): this {
    const start = this.#writer.length;
    const header = this.#writer.header(NLMSG_HDRLEN);
    header.writeUInt16LE(head.type, TYPE_OFFSET);
    header.writeUInt16LE((head.flags ?? 0) | NLM_F_REQUEST, FLAGS_OFFSET);
    body?.(this.#writer);
    this.#writer.patchU32(start, this.#writer.length - start);
    this.#starts.push(start);
    this.#whats.push(head.what);
    return this;
  }

  /** What request `index` attempts, in words. */
  what(index: number): string {
    const what = this.#whats[index];
    if (what !== undefined) return what();
    const start = this.#starts[index];
    if (start === undefined) return `send netlink message ${index}`;
    return `send netlink message of type ${this.#writer.bytes().readUInt16LE(start + TYPE_OFFSET)}`;
  }

  /**
   * Bytes of the requests `from` (inclusive) to `to` (exclusive), numbered `sequence`, `sequence + 1` …; `lastFlags` are set on the
   * last one. A view, valid until the next {@link add}.
   */
  datagram(range: { from: number; to: number; sequence: number; lastFlags: number }): Buffer {
    const bytes = this.#writer.bytes();
    let at = 0;
    for (let index = range.from; index < range.to; index += 1) {
      at = this.#starts[index] ?? 0;
      bytes.writeUInt32LE((range.sequence + index - range.from) >>> 0, at + SEQUENCE_OFFSET);
    }
    bytes.writeUInt16LE(bytes.readUInt16LE(at + FLAGS_OFFSET) | range.lastFlags, at + FLAGS_OFFSET);
    return bytes.subarray(this.#starts[range.from] ?? 0, this.#starts[range.to] ?? bytes.length);
  }

  /** The end of a run of requests from `from` that has at most `count` messages and, where possible, `sizeBytes` bytes. */
  chunkEnd(from: number, count: number, sizeBytes: number): number {
    const start = this.#starts[from] ?? 0;
    let to = from + 1;
    while (to < this.count && to - from < count && (this.#starts[to + 1] ?? this.sizeBytes) - start <= sizeBytes)
      to += 1;
    return to;
  }
}

/** One request on its own. */
export function oneRequest(head: RequestHead, body?: (writer: AttributeWriter) => void): Requests {
  return new Requests().add(head, body);
}

/**
 * Splits a datagram into its messages. The payloads are views of it.
 * @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED`
 */
export function parseMessages(datagram: Buffer): Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at < datagram.length) {
    const left = datagram.length - at;
    if (left < NLMSG_HDRLEN) throw malformed(`${left} bytes after the last message`);
    const size = datagram.readUInt32LE(at);
    if (size < NLMSG_HDRLEN || size > left) throw malformed(`a message says ${size} bytes, ${left} are left`);
    messages.push({
      type: datagram.readUInt16LE(at + TYPE_OFFSET),
      flags: datagram.readUInt16LE(at + FLAGS_OFFSET),
      sequence: datagram.readUInt32LE(at + SEQUENCE_OFFSET),
      portId: datagram.readUInt32LE(at + 12),
      payload: datagram.subarray(at + NLMSG_HDRLEN, at + size),
    });
    at += align4(size);
  }
  return messages;
}

/** The errno in an NLMSG_ERROR or NLMSG_DONE message, as a positive number; 0 is success. */
export function replyErrno(message: Message): number {
  if (message.payload.length < 4) {
    if (message.type === NLMSG_DONE) return 0;
    throw malformed(`an error message has ${message.payload.length} bytes`);
  }
  return Math.abs(message.payload.readInt32LE(0));
}

/**
 * The kernel's words in an NLMSG_ERROR or NLMSG_DONE message; empty when it gave none.
 * @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED`
 */
export function extendedAck(message: Message): ExtendedAck {
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return {};
  let at = 4;
  if (message.type === NLMSG_ERROR) {
    if (message.payload.length < 4 + NLMSG_HDRLEN) return {};
    // The refused request follows the errno, whole or (CAPPED) its header alone.
    const echoed = (message.flags & NLM_F_CAPPED) === 0 ? message.payload.readUInt32LE(4) : NLMSG_HDRLEN;
    at = 4 + align4(echoed);
  }
  if (at > message.payload.length) return {};
  const attributes = new Attributes(message.payload.subarray(at));
  const text = attributes.string(NLMSGERR_ATTR_MSG);
  const offset = attributes.u32(NLMSGERR_ATTR_OFFS);
  return { ...(text === undefined ? {} : { text }), ...(offset === undefined ? {} : { offset }) };
}
