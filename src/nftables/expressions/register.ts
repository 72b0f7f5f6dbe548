/**
 * A register as `enum nft_registers` numbers them: 0 holds the verdict, 1–4 are 16 bytes wide, 8–23 are the same memory in
 * pieces of 4 bytes. The kernel reports a 4-byte register that begins a 16-byte one by the latter's number; so do we.
 */
export type Register = number;

export const VERDICT_REGISTER: Register = 0;
export const FIRST_REGISTER: Register = 1;

/** The register `words` 32-bit words after the first one, as the kernel reports it: 0 → 1, 1 → 9, 4 → 2. */
export function registerAtWord(words: number): Register {
  return words % 4 === 0 ? 1 + words / 4 : 8 + words;
}

/** The inverse of {@link registerAtWord}; 8 is read as 1. */
export function wordOfRegister(register: Register): number {
  return register >= 8 ? register - 8 : (register - 1) * 4;
}
