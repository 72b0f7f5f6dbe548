import { addressBytes, formatAddress, tryParseAddress } from '../net/address.js';

/**
 * DNS messages, as far as a resolver of container names needs them: questions are read, answers written. What is not a plain question is
 * somebody else's to answer.
 *
 * @see RFC 1035 section 4 (messages), RFC 3596 (AAAA, ip6.arpa), RFC 6891 (EDNS)
 */

export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const CODE = { noError: 0, serverFailure: 2, noSuchName: 3 } as const;
const CLASS_INTERNET = 1;

const HEADER_LENGTH = 12;
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
/** A longer question came over no network that we know. */
const MAX_QUERY_BYTES = 4_096;
const PLAIN_ANSWER_BYTES = 512;
/** What fits a packet everywhere. */
const MAX_ANSWER_BYTES = 1_232;
const FLAG_RESPONSE = 0x8000;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const OPCODE_MASK = 0x7800;
/** A name that was written already: the question's. */
const POINTER_TO_QUESTION = 0xc000 | HEADER_LENGTH;
/** Containers move: nobody is to remember for long where one was. */
const TTL_SECONDS = 5;

export interface DnsQuery {
  readonly id: number;
  readonly isRecursionDesired: boolean;
  /** Lower case, without the last dot; empty for the root. */
  readonly name: string;
  readonly type: number;
  /** Name, type and class as they came, for the answer. */
  readonly question: Buffer;
  /** Most that the asker takes over UDP. */
  readonly maxBytes: number;
  /** It speaks EDNS, and so must the answer. */
  readonly hasEdns: boolean;
}

export interface DnsAnswers {
  readonly code: number;
  /** Of type A and AAAA, bare. */
  readonly addresses?: readonly string[];
  /** Of type PTR, without the last dot. */
  readonly names?: readonly string[];
}

/** Reads a question. @returns undefined for whatever is none, is broken, or has more to it than one name; never throws */
export function decodeQuery(bytes: Buffer): DnsQuery | undefined {
  if (bytes.length < HEADER_LENGTH || bytes.length > MAX_QUERY_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  const [questions, answers, authorities, additional] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const isPlain = questions === 1 && answers === 0 && authorities === 0;
  if ((flags & (FLAG_RESPONSE | OPCODE_MASK)) !== 0 || !isPlain) return undefined;
  const read = readName(bytes, HEADER_LENGTH);
  if (read === undefined || read.end + 4 > bytes.length) return undefined;
  if (bytes.readUInt16BE(read.end + 2) !== CLASS_INTERNET) return undefined;
  const questionEnd = read.end + 4;
  const edns = readEdns(bytes, questionEnd, additional ?? 0);
  if (edns === undefined) return undefined;
  return {
    id: bytes.readUInt16BE(0),
    isRecursionDesired: (flags & FLAG_RECURSION_DESIRED) !== 0,
    name: read.name.toLowerCase(),
    type: bytes.readUInt16BE(read.end),
    question: Buffer.from(bytes.subarray(HEADER_LENGTH, questionEnd)),
    maxBytes: Math.min(Math.max(edns.size, PLAIN_ANSWER_BYTES), MAX_ANSWER_BYTES),
    hasEdns: edns.isThere,
  };
}

/** A name without pointers: there is nothing yet that one could point at. */
function readName(bytes: Buffer, from: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  for (let at = from; at < bytes.length;) {
    const length = bytes.readUInt8(at);
    if (length === 0) return { name: labels.join('.'), end: at + 1 };
    const end = at + 1 + length;
    if (length > MAX_LABEL_BYTES || end > bytes.length || end - from >= MAX_NAME_BYTES) return undefined;
    const label = bytes.toString('latin1', at + 1, end);
    // A dot inside a label would read as two labels.
    if (label.includes('.')) return undefined;
    labels.push(label);
    at = end;
  }
  return undefined;
}

/** The only thing that may follow a question. */
function readEdns(
  bytes: Buffer,
  at: number,
  records: number,
): { readonly isThere: boolean; readonly size: number } | undefined {
  if (records === 0) return { isThere: false, size: 0 };
  const isOpt = records === 1 && at + 11 <= bytes.length && bytes.readUInt8(at) === 0;
  if (!isOpt || bytes.readUInt16BE(at + 1) !== TYPE.OPT) return undefined;
  return { isThere: true, size: bytes.readUInt16BE(at + 3) };
}

/** Writes an answer of whatever fits; an asker takes the first address that works anyway. */
export function encodeAnswer(query: DnsQuery, { code, addresses = [], names = [] }: DnsAnswers): Buffer {
  const end = query.hasEdns ? ednsRecord() : Buffer.alloc(0);
  const records: Buffer[] = [];
  let size = HEADER_LENGTH + query.question.length + end.length;
  for (const record of [...addresses.map(addressRecord), ...names.flatMap(pointerRecord)]) {
    if (size + record.length > query.maxBytes) break;
    size += record.length;
    records.push(record);
  }
  const header = Buffer.alloc(HEADER_LENGTH);
  const desired = query.isRecursionDesired ? FLAG_RECURSION_DESIRED : 0;
  header.writeUInt16BE(query.id, 0);
  header.writeUInt16BE(FLAG_RESPONSE | desired | FLAG_RECURSION_AVAILABLE | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(query.hasEdns ? 1 : 0, 10);
  return Buffer.concat([header, query.question, ...records, end]);
}

function ednsRecord(): Buffer {
  const record = Buffer.alloc(11);
  record.writeUInt16BE(TYPE.OPT, 1);
  record.writeUInt16BE(MAX_ANSWER_BYTES, 3);
  return record;
}

function addressRecord(text: string): Buffer {
  const address = tryParseAddress(text);
  if (address === undefined) return Buffer.alloc(0);
  return record(address.family === 4 ? TYPE.A : TYPE.AAAA, addressBytes(address));
}

function pointerRecord(name: string): Buffer[] {
  const encoded = encodeName(name);
  return encoded === undefined ? [] : [record(TYPE.PTR, encoded)];
}

function record(type: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(POINTER_TO_QUESTION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(CLASS_INTERNET, 4);
  head.writeUInt32BE(TTL_SECONDS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** A name's bytes; undefined when it cannot be one. */
function encodeName(name: string): Buffer | undefined {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
  if (labels.some(({ length }) => length === 0 || length > MAX_LABEL_BYTES)) return undefined;
  const encoded = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
  return encoded.length > MAX_NAME_BYTES ? undefined : encoded;
}

/** `7.2.0.192.in-addr.arpa` → `192.0.2.7`, and the same of ip6.arpa; undefined for every other name. */
export function addressOfReverseName(name: string): string | undefined {
  const ipv4 = /^(\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa$/.exec(name)?.[1];
  const ipv6 = /^([0-9a-f](?:\.[0-9a-f]){31})\.ip6\.arpa$/.exec(name)?.[1];
  if (ipv4 !== undefined) return canonical(ipv4.split('.').toReversed().join('.'));
  const digits = ipv6?.split('.').toReversed().join('');
  return digits === undefined ? undefined : canonical(digits.replaceAll(/.{4}(?!$)/g, '$&:'));
}

function canonical(text: string): string | undefined {
  const address = tryParseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}
