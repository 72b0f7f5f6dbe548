import type { TableFamily } from '../objects.js';
import { wordOfRegister, type Register } from './register.js';

/** What a register holds, in nft's words. */
export interface Operand {
  /** `ip saddr`, `meta mark`, `ct state`. */
  readonly text: string;
  readonly length: number;
  /** Prints one value, or a range when `to` is given. */
  print(from: Uint8Array, to?: Uint8Array): string;
  /** Names of single bits: then a mask test reads `ct state new`. */
  readonly isFlags?: boolean;
  /** A mask and xor that were applied since it was loaded. */
  readonly mask?: Uint8Array;
  readonly xor?: Uint8Array;
  /** A constant put there. */
  readonly constant?: Uint8Array;
}

/** Which header a check of `nfproto` or `l4proto` makes readable: naming a field of it (`ip saddr`) says the check too. */
export type Layer = 'network' | 'transport';

/**
 * Turns expressions back into a line of nft's language: follows what each register holds, and leaves out the checks that a
 * later field implies, as nft does.
 */
export class RuleText {
  readonly family: TableFamily;
  readonly stateful: boolean;
  /** Known network header: 4 or 6. */
  network: 4 | 6 | undefined;
  /** Known transport protocol number. */
  transport: number | undefined;
  readonly #operands = new Map<number, { readonly operand: Operand; readonly epoch: number }>();
  readonly #parts: string[] = [];
  readonly #checks = new Map<Layer, number>();
  #epoch = 0;

  constructor(family: TableFamily, stateful: boolean) {
    this.family = family;
    this.stateful = stateful;
    if (family === 'ip') this.network = 4;
    if (family === 'ip6') this.network = 6;
  }

  load(register: Register, operand: Operand): void {
    this.#operands.set(wordOfRegister(register), { operand, epoch: this.#epoch });
  }

  operand(register: Register): Operand {
    return this.#operands.get(wordOfRegister(register))?.operand ?? opaque(`reg ${register}`);
  }

  /** The text of a key that starts at the register: the operands that were loaded side by side since the last statement. */
  key(register: Register): string {
    const texts: string[] = [];
    let word = wordOfRegister(register);
    for (let entry = this.#operands.get(word); entry !== undefined; entry = this.#operands.get(word)) {
      if (texts.length > 0 && entry.epoch !== this.#epoch) break;
      texts.push(operandText(entry.operand));
      word += Math.ceil(entry.operand.length / 4);
    }
    return texts.length === 0 ? `reg ${register}` : texts.join(' . ');
  }

  say(part: string): void {
    this.#parts.push(part);
    this.#epoch += 1;
  }

  /** Says an action. Checks before it stay: without them it would happen to other packets too. */
  act(part: string): void {
    this.#checks.clear();
    this.say(part);
  }

  /** Replaces the last part when `change` makes something of it. */
  amend(change: (last: string) => string | undefined): boolean {
    const amended = change(this.#parts.at(-1) ?? '');
    if (amended === undefined) return false;
    this.#parts[this.#parts.length - 1] = amended;
    return true;
  }

  /** Says a check that a later field of the layer may make superfluous. */
  sayCheck(layer: Layer, part: string): void {
    this.#checks.set(layer, this.#parts.length);
    this.say(part);
  }

  /** A field of the layer has been named: the check before it need not be printed. */
  implies(layer: Layer): void {
    const index = this.#checks.get(layer);
    if (index === undefined) return;
    this.#parts[index] = '';
    this.#checks.delete(layer);
  }

  toString(): string {
    return this.#parts.filter((part) => part !== '').join(' ');
  }
}

export function printHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
}

/** An operand nft has no name for. */
export function opaque(text: string, length = 4): Operand {
  return {
    text,
    length,
    print: (from, to) => (to === undefined ? printHex(from) : `${printHex(from)}-${printHex(to)}`),
  };
}

function isFilledWith(bytes: Uint8Array, value: number): boolean {
  return bytes.every((byte) => byte === value);
}

/** The operand with its mask and xor, as an expression: `meta mark & 0x0000ffff | 0x00010000`. */
export function operandText(operand: Operand): string {
  const { mask, xor } = operand;
  if (operand.constant !== undefined) return operand.print(operand.constant);
  if (mask === undefined || xor === undefined) return operand.text;
  if (isFilledWith(mask, 255)) return `${operand.text} ^ ${operand.print(xor)}`;
  if (isFilledWith(xor, 0)) return `${operand.text} & ${operand.print(mask)}`;
  // (x & m) ^ v is written the way a reader thinks of it: keep the bits of m or v, then set v.
  const kept = mask.map((byte, i) => byte | (xor[i] ?? 0));
  if (isFilledWith(kept, 255)) return `${operand.text} | ${operand.print(xor)}`;
  return `${operand.text} & ${operand.print(kept)} | ${operand.print(xor)}`;
}
