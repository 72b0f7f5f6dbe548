import { elementOf, formatKey, keyRange, type KeyRange } from '../elements.js';
import type { Operation, SeenElement } from '../nftables.js';
import type { Element, Elements, Member, NftMap, SetShape } from '../objects.js';
import { printVerdict, type Verdict } from '../verdict.js';
import { Refused } from './errors.js';
import type { FakeElement, FakeSet } from './state.js';

type MemberShape = SetShape & Partial<Pick<NftMap, 'data'>>;

/** A member as it will be kept. */
export function fakeElement(shape: MemberShape, member: Member): FakeElement {
  const element = elementOf(member);
  const range = keyRange(shape, element);
  const { verdict, timeoutMs, comment } = element;
  const seen: SeenElement = {
    key: formatKey(shape.key, range),
    ...(verdict === undefined ? {} : { verdict }),
    ...(element.data === undefined ? {} : { data: dataText(shape, element.data) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(comment === undefined ? {} : { comment }),
  };
  return { range, seen };
}

function dataText(shape: MemberShape, data: NonNullable<Element['data']>): string {
  const key = shape.data === undefined || shape.data === 'verdict' ? (['unknown'] as const) : shape.data;
  return formatKey(key, keyRange({ key }, { key: data }));
}

/** Whether two keys have an address in common; in a concatenation: in each field. */
function overlap(shape: SetShape, a: KeyRange, b: KeyRange): boolean {
  if (shape.key.length === 1) return overlapIn(a, b, 0, a.start.length);
  // Fields are padded to four bytes; comparing the words one by one is exact for fields of up to four bytes, and long
  // fields (IPv6) overlap as prefixes do, word by word.
  for (let at = 0; at < a.start.length; at += 4) if (!overlapIn(a, b, at, at + 4)) return false;
  return true;
}

function overlapIn(a: KeyRange, b: KeyRange, from: number, to: number): boolean {
  const part = (bytes: Uint8Array): Uint8Array => bytes.subarray(from, to);
  const ends = [a.end ?? a.start, b.end ?? b.start] as const;
  return Buffer.compare(part(a.start), part(ends[1])) <= 0 && Buffer.compare(part(b.start), part(ends[0])) <= 0;
}

function refuseOverlap(shape: SetShape, elements: Iterable<FakeElement>, added: FakeElement): void {
  if (added.range === undefined) return;
  for (const { range, seen } of elements) {
    if (range !== undefined && seen.key !== added.seen.key && overlap(shape, range, added.range)) {
      throw new Refused('EEXIST');
    }
  }
}

function sameValue(a: SeenElement, b: SeenElement): boolean {
  const text = (verdict: Verdict | undefined): string => (verdict === undefined ? '' : printVerdict(verdict));
  return text(a.verdict) === text(b.verdict) && a.data === b.data;
}

/** Refuses what the set's kind does not take: a map wants a value, a set none. */
function refuseWrongKind(shape: MemberShape, seen: SeenElement): void {
  const has = { verdict: seen.verdict !== undefined, data: seen.data !== undefined };
  const wants = { verdict: shape.data === 'verdict', data: shape.data !== undefined && shape.data !== 'verdict' };
  if (has.verdict !== wants.verdict || has.data !== wants.data) throw new Refused('EINVAL');
}

/** Where an element's verdict leads must be there. */
type ChainCheck = (verdict: Verdict) => void;

function addOne(
  elements: Map<string, FakeElement>,
  shape: MemberShape,
  added: FakeElement,
  { isCreate, checkChain }: { readonly isCreate: boolean; readonly checkChain: ChainCheck },
): void {
  refuseWrongKind(shape, added.seen);
  if (added.seen.verdict !== undefined) checkChain(added.seen.verdict);
  const there = elements.get(added.seen.key);
  if (there !== undefined) {
    if (isCreate || !sameValue(there.seen, added.seen)) throw new Refused('EEXIST');
    return;
  }
  if (shape.interval === true) refuseOverlap(shape, elements.values(), added);
  if (shape.size !== undefined && elements.size >= shape.size) throw new Refused('ENFILE');
  elements.set(added.seen.key, added);
}

/** The set with the members added. @throws {Refused} naming the member */
export function withMembers(
  fakeSet: FakeSet,
  object: Elements,
  verb: 'add' | 'create',
  checkChain: ChainCheck,
): FakeSet {
  const elements = new Map(fakeSet.elements);
  for (const member of object.members) {
    naming({ verb, object: { ...object, members: [member] } }, () =>
      addOne(elements, fakeSet.set, fakeElement(fakeSet.set, member), { isCreate: verb === 'create', checkChain }),
    );
  }
  return { set: fakeSet.set, elements };
}

/** The set without the members. @throws {Refused} naming the member */
export function withoutMembers(fakeSet: FakeSet, object: Elements): FakeSet {
  const elements = new Map(fakeSet.elements);
  for (const member of object.members) {
    const { seen } = fakeElement(fakeSet.set, member);
    if (!elements.delete(seen.key)) {
      throw new Refused('ENOENT', { verb: 'delete', object: { ...object, members: [member] } });
    }
  }
  return { set: fakeSet.set, elements };
}

function naming(part: Operation, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof Refused ? new Refused(error.errno, part) : error;
  }
}

/** Checks the members of a set made for one rule. */
export function checkAnonymous(
  shape: MemberShape & { readonly members: readonly Member[] },
  checkChain: ChainCheck,
): void {
  const elements = new Map<string, FakeElement>();
  for (const member of shape.members) {
    addOne(elements, shape, fakeElement(shape, member), { isCreate: false, checkChain });
  }
}

/** In the order a reader gets them: intervals ascending. */
export function listElements(fakeSet: FakeSet): readonly SeenElement[] {
  const elements = [...fakeSet.elements.values()];
  if (fakeSet.set.interval === true && fakeSet.set.key.length === 1) {
    elements.sort((a, b) => {
      if (a.range === undefined || b.range === undefined) return a.range === undefined ? 1 : -1;
      return Buffer.compare(a.range.start, b.range.start);
    });
  }
  return elements.map(({ seen }) => seen);
}
