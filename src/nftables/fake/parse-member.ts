import type { Element, Member } from '../objects.js';
import type { Verdict } from '../verdict.js';

/** `jump x`, `drop`. */
export function parseVerdict(words: readonly string[]): Verdict {
  const [code = '', chain = ''] = words;
  if (code === 'jump' || code === 'goto') return { code, chain };
  if (code === 'accept' || code === 'drop' || code === 'return' || code === 'continue') return { code };
  return { code: 'break' };
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]);

/** `1h30m` in milliseconds. */
export function parseDuration(text: string): number {
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) ms += Number(count) * (UNITS.get(unit ?? '') ?? 0);
  return ms;
}

/** One element's words as nft lists them: key, timeout, comment, then after a colon its verdict or value. */
export function parseMember(item: readonly string[], data: 'verdict' | 'value' | undefined): Member {
  const colon = item.indexOf(':');
  const head = colon < 0 ? item : item.slice(0, colon);
  const value = colon < 0 ? [] : item.slice(colon + 1);
  const optionAt = (name: string): number => head.indexOf(name);
  const ends = [optionAt('timeout'), optionAt('comment'), head.length].filter((index) => index > 0);
  const key = head
    .slice(0, Math.min(...ends))
    .join(' ')
    .replaceAll('"', '');
  const timeout = head[optionAt('timeout') + 1];
  const comment = head[optionAt('comment') + 1];
  const element: Element = {
    key,
    ...(optionAt('timeout') > 0 && timeout !== undefined ? { timeoutMs: parseDuration(timeout) } : {}),
    ...(optionAt('comment') > 0 && comment !== undefined ? { comment: comment.replaceAll('"', '') } : {}),
    ...(data === 'verdict' ? { verdict: parseVerdict(value) } : {}),
    ...(data === 'value' ? { data: value.join(' ').replaceAll('"', '') } : {}),
  };
  return Object.keys(element).length === 1 ? key : element;
}
