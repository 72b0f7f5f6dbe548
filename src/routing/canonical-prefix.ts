import { addressBits } from '../net/address.js';
import { formatPrefix, networkOf, tryParsePrefix } from '../net/prefix.js';

/** `192.0.2.7` → `192.0.2.7/32`, host bits cleared; undefined when it is no prefix. */
export function canonicalPrefix(text: string): string | undefined {
  const prefix = tryParsePrefix(text);
  return prefix === undefined ? undefined : formatPrefix(networkOf(prefix));
}

/** True for a /32 or /128. */
export function isOneAddress(prefixText: string): boolean {
  const prefix = tryParsePrefix(prefixText);
  return prefix !== undefined && prefix.length === addressBits(prefix.address.family);
}
