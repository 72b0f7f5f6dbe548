import { describe, expect, test } from 'vitest';
import { checkFile, importsOf, layers } from './layers.js';

describe('importsOf()', () => {
  test('finds every form of import and no comment', () => {
    const text = [
      "import { a } from './a.js';",
      "import type {\n  B,\n} from '../b/b.js';",
      "import 'node:fs';",
      "export * from './c.js';",
      "const d = await import('./d.js');",
      "// import { e } from './e.js';",
      " * import { f } from './f.js';",
    ].join('\n');
    expect(importsOf(text).toSorted()).toEqual(['../b/b.js', './a.js', './c.js', './d.js', 'node:fs']);
  });
});

describe('checkFile()', () => {
  test.each([
    ['src/netlink/a.ts', "import { x } from '../policy/x.js';", 'netlink may import only'],
    ['src/policy/a.ts', "import { x } from 'node:fs';", 'is pure'],
    ['src/policy/a.ts', "import { x } from '../base/clock.js';", 'of base only'],
    ['src/netlink/a.ts', "import koffi from 'koffi';", 'which only src/sys/ may'],
    ['src/datastore/memory/a.ts', "import { x } from '@bufbuild/protobuf';", 'which only src/datastore/etcd/ may'],
    ['src/dataplane/a.ts', "import { spawn } from 'node:child_process';", 'children are started only in'],
    ['src/unknown/a.ts', '', 'is not in scripts/layers.ts'],
    ['src/api/a.ts', "import x from 'left-pad';", 'which no folder may'],
    ['src/routing/a.ts', "import { x } from '../ipam/assign.js';", 'only block.ts'],
  ])('%s: %s is refused', (path, text, words) => {
    expect(checkFile(path, text).join()).toContain(words);
  });

  test.each([
    ['src/netlink/a.ts', "import { x } from '../sys/fd.js';"],
    ['src/policy/a.ts', "import { x } from '../base/errors.js';"],
    ['src/sys/a.ts', "import koffi from 'koffi';"],
    ['src/policy/a.test.ts', "import { x } from 'node:fs';"],
    ['src/bgp/a.ts', "import { spawn } from 'node:child_process';"],
  ])('%s: %s is fine', (path, text) => {
    expect(checkFile(path, text)).toEqual([]);
  });

  test('every folder an entry names exists in the list', () => {
    const named = Object.values(layers).flatMap((layer) => layer.imports);
    expect(named.filter((name) => name !== '*' && layers[name] === undefined)).toEqual([]);
  });
});
