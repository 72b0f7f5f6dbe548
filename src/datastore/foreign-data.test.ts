import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatKeyPath, parseKeyPath } from '../api/keys.js';
import { isPublicKind, isTieredKind, publicKinds } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { decodeStored, encodeStored } from '../api/stored-form.js';
import { validate } from '../api/validate.js';

interface Pair {
  readonly path: string;
  readonly text: string;
}

function pairsOf(file: string): readonly Pair[] {
  const text = readFileSync(new URL(`./testdata/foreign/${file}`, import.meta.url), 'utf8');
  return text
    .split('\n\n')
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => {
      const [path = '', value = ''] = paragraph.split('\n');
      return { path, text: value };
    });
}

/** Sequence numbers have more digits than a number holds. */
function parsed(text: string): unknown {
  return JSON.parse(text.replaceAll(/:(\d{16,})/g, ':"$1"'));
}

function keyOf(path: string): ResourceKey {
  const key = parseKeyPath(path);
  if (key === undefined) throw new Error(`unknown key ${path}`);
  return key;
}

function rewritten({ path, text }: Pair): unknown {
  const key = keyOf(path);
  return parsed(encodeStored(key.kind, decodeStored(key, text)));
}

const today = pairsOf('v3.33.txt');
const older = pairsOf('v3.31.txt');
/** Not a key of ours: see the README beside the data. */
const STRAY = '/calico/resources/v3/projectcalico.org/ipamconfigurations/default';
const known = today.filter(({ path }) => path !== STRAY);

describe('what another implementation stores', () => {
  test('covers every kind', () => {
    const kinds = new Set(known.map(({ path }) => keyOf(path).kind));
    expect(Object.keys(publicKinds).filter((kind) => isPublicKind(kind) && !kinds.has(kind))).toEqual([]);
    for (const kind of ['IPAMBlock', 'IPAMHandle', 'BlockAffinity'] as const) expect(kinds).toContain(kind);
    expect(parseKeyPath(STRAY)).toBeUndefined();
  });

  test.each([...known, ...older])('has the key that we give it: $path', ({ path }) => {
    expect(formatKeyPath(keyOf(path))).toBe(path);
  });

  test.each(known)('is written back as it was: $path', (pair) => {
    expect(rewritten(pair)).toEqual(parsed(pair.text));
  });

  test.each([...known, ...older])('may be edited and replaced: $path', ({ path, text }) => {
    const key = keyOf(path);
    expect(isPublicKind(key.kind) ? validate(decodeStored(key, text)) : []).toEqual([]);
  });
});

describe('what older versions store', () => {
  /** Stored by an older version, with what a version of today adds. */
  function raised({ path, text }: Pair): unknown {
    const stored = parsed(text) as { metadata: Record<string, Record<string, string>>; spec: { tier?: string } };
    if (!isTieredKind(keyOf(path).kind)) return stored;
    const { metadata, spec } = stored;
    const { name } = JSON.parse(metadata['annotations']?.['projectcalico.org/metadata'] ?? '') as { name: string };
    const labels = { ...metadata['labels'], 'projectcalico.org/tier': spec.tier ?? 'default' };
    return { ...stored, metadata: { ...metadata, name, labels } };
  }

  test.each(older)('is written back with its tier as a label, and its own name: $path', (pair) => {
    expect(rewritten(pair)).toEqual(raised(pair));
  });

  test('has the names that people gave', () => {
    const names = older.flatMap(({ path, text }) => {
      const key = keyOf(path);
      return isTieredKind(key.kind)
        ? [`${key.kind} ${decodeStored({ ...key, kind: key.kind }, text).metadata.name}`]
        : [];
    });
    expect(names).toEqual([
      'GlobalNetworkPolicy everywhere',
      'GlobalNetworkPolicy default.prefixed',
      'GlobalNetworkPolicy security.first',
      'NetworkPolicy web',
      'NetworkPolicy security.web',
      'StagedGlobalNetworkPolicy everywhere',
      'StagedNetworkPolicy web',
    ]);
  });
});
