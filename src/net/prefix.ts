import { CalicoError } from '../base/errors.js';
import { type Address, addressBits, formatAddress, tryParseAddress } from './address.js';

/** An address and a prefix length; host bits may be set unless a function says otherwise. */
export interface Prefix {
  readonly address: Address;
  readonly length: number;
}

function maskWord(word: number, bits: number): number {
  if (bits >= 32) return word;
  return bits <= 0 ? 0 : (word & (0xffffffff << (32 - bits))) >>> 0;
}

/** The address with all bits after the first `length` cleared. */
export function maskAddress(address: Address, length: number): Address {
  if (address.family === 4) return { family: 4, value: maskWord(address.value, length) };
  const [a, b, c, d] = address.words;
  const words = [
    maskWord(a, length),
    maskWord(b, length - 32),
    maskWord(c, length - 64),
    maskWord(d, length - 96),
  ] as const;
  return { family: 6, words };
}

/** The prefix with its host bits cleared. */
export function networkOf(prefix: Prefix): Prefix {
  return { address: maskAddress(prefix.address, prefix.length), length: prefix.length };
}

/** `192.0.2.0/24`, or a bare address as /32 or /128; undefined when it is neither. Host bits are kept. */
export function tryParsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = tryParseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = addressBits(address.family);
  if (slash < 0) return { address, length: bits };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  return length > bits ? undefined : { address, length };
}

/** The address of `192.0.2.7/32` or `192.0.2.7`, canonical and without a length; undefined when it is neither. */
export function bareAddress(text: string): string | undefined {
  const prefix = tryParsePrefix(text);
  return prefix === undefined ? undefined : formatAddress(prefix.address);
}

/** Why the text is not a CIDR, in words; undefined when it is one (or a bare address). */
export function explainBadPrefix(text: string): string | undefined {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = tryParseAddress(addressText);
  if (address === undefined) return `"${addressText}" is not an IP address`;
  if (lengthText === undefined) return undefined;
  if (rest.length > 0) return 'it has more than one "/"';
  if (!/^(0|[1-9]\d*)$/.test(lengthText)) return `"${lengthText}" is not a prefix length`;
  const bits = addressBits(address.family);
  return Number(lengthText) > bits ? `the prefix is at most ${bits}` : undefined;
}

/** @throws {CalicoError} `ERR_CALI_NET_PREFIX` */
export function parsePrefix(text: string): Prefix {
  const prefix = tryParsePrefix(text);
  if (prefix === undefined) {
    throw new CalicoError(
      'ERR_CALI_NET_PREFIX',
      `"${text}" is not a CIDR: ${explainBadPrefix(text) ?? 'it cannot be read'}`,
    );
  }
  return prefix;
}

/** Canonical text with length, always: `192.0.2.7/32`. Host bits are printed as they are. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** Text of an address or prefix in canonical form with its length; other text as it is. */
export function canonicalPrefix(text: string): string {
  const prefix = tryParsePrefix(text);
  return prefix === undefined ? text : formatPrefix(prefix);
}

/** True when `inner` lies wholly inside `outer`; never across families. */
export function prefixContains(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && addressInPrefix(inner.address, outer);
}

/** True when the address lies in the prefix; never across families. */
export function addressInPrefix(address: Address, prefix: Prefix): boolean {
  if (address.family === 4) {
    return prefix.address.family === 4 && maskWord((address.value ^ prefix.address.value) >>> 0, prefix.length) === 0;
  }
  if (prefix.address.family !== 6) return false;
  for (let i = 0; i < 4; i += 1) {
    const difference = ((address.words[i] ?? 0) ^ (prefix.address.words[i] ?? 0)) >>> 0;
    if (maskWord(difference, prefix.length - 32 * i) !== 0) return false;
  }
  return true;
}

/** True when the two share an address. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return a.length <= b.length ? prefixContains(a, b) : prefixContains(b, a);
}

/** True when no bit after the prefix length is set. */
export function isNetwork(prefix: Prefix): boolean {
  return formatAddress(networkOf(prefix).address) === formatAddress(prefix.address);
}
