/** 1 to 4294967295, or `high.low`; undefined for other text. */
export function readAsNumber(text: string): number | undefined {
  const [, high, low] = /^(?:(\d{1,5})\.)?(\d{1,10})$/.exec(text) ?? [];
  const value = high === undefined ? Number(low) : Number(high) * 65536 + Number(low);
  const limit = high === undefined ? 2 ** 32 : 65536;
  const isRight = low !== undefined && Number(low) < limit && Number(high ?? 0) < 65536 && value > 0;
  return isRight ? value : undefined;
}
