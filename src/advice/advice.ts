/** One thing that somebody may not have meant. */
export interface Advice {
  readonly type: 'selects-nothing' | 'near-miss' | 'unreachable-rule' | 'dns' | 'host-access';
  /** The resource that is written, as people know it: `NetworkPolicy "shop/web"`; undefined where it is the change as a whole. */
  readonly subject: string | undefined;
  /** What is odd; lower case, no full stop, with the field's path where there is one. */
  readonly message: string;
  readonly hint?: string;
}

/** Names for people: the first three, and how many more. */
export function someOf(names: readonly string[]): string {
  const sorted = names.toSorted();
  const more = sorted.length - 3;
  return more > 0 ? `${sorted.slice(0, 3).join(', ')} and ${more} more` : sorted.join(', ');
}
