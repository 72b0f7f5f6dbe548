import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { markdownTable } from './markdown-table.js';

/** One folder of the house: what it holds, which other folders it may import. */
export interface Layer {
  readonly does: string;
  readonly imports: readonly string[];
}

/** Pure folders import no `node:` module and of `base` only `errors.ts` and `hash.ts`. */
const pure = new Set(['net', 'selector', 'api', 'plan', 'policy', 'advice', 'routing']);
const pureFiles = new Set(['src/ipam/block.ts']);
const pureBase = new Set(['src/base/errors.ts', 'src/base/hash.ts']);

const facts = ['base', 'net', 'selector', 'api'];
const kernel = ['sys', 'netlink', 'nftables', 'features'];

/**
 * The allow-list: a folder may import itself and what stands here, nothing else. In reading order, so that the table of
 * ARCHITECTURE.md made from it goes from declaring to programming.
 */
export const layers: Readonly<Record<string, Layer>> = {
  base: {
    does: 'errors, hashes, health conditions, clock, retry, log, metrics, version: a closed list',
    imports: [],
  },
  net: { does: 'addresses, prefixes, MACs, ports, interface names as cheap values', imports: ['base'] },
  selector: { does: 'the label-selector language: parse, canonical text, evaluate, index hints', imports: ['base'] },
  api: {
    does: 'every resource kind once: schema, defaults, validation, names, key mapping, parameters',
    imports: ['base', 'net', 'selector'],
  },
  plan: { does: 'the types between deciding and programming, and the delta tracker', imports: ['base', 'net'] },
  datastore: {
    does: 'one store interface with its backends, and the syncer on top of it',
    imports: ['base', 'net', 'api'],
  },
  ipam: { does: 'blocks, affinities, handles: assign, release, show, check, split', imports: [...facts, 'datastore'] },
  client: {
    does: 'resource writes with all their rules, on top of the store',
    imports: [...facts, 'datastore', 'ipam'],
  },
  policy: { does: 'resources → what this host must enforce, incrementally', imports: [...facts, 'plan'] },
  advice: {
    does: 'what somebody should hear before a change of policy: warnings from what is stored and what is written',
    imports: [...facts, 'plan', 'policy'],
  },
  routing: {
    does: 'resources → what this host must route and tell its BGP peers',
    imports: [...facts, 'plan', 'ipam'],
  },
  sys: { does: 'the one unsafe place: FFI to libc, owned descriptors, namespaces, errno', imports: ['base'] },
  netlink: {
    does: 'rtnetlink, conntrack, monitors as typed messages over a transport',
    imports: ['base', 'net', 'sys'],
  },
  nftables: {
    does: 'nf_tables as a library: objects, expressions, transactions, read-back, text, a fake',
    imports: ['base', 'net', 'sys', 'netlink'],
  },
  features: {
    does: 'kernel features as named probes: what there is, since when, what is lost without it',
    imports: ['base', 'net', 'sys', 'netlink', 'nftables'],
  },
  dataplane: {
    does: 'plans → kernel: reads the kernel back and writes only differences',
    imports: ['base', 'net', 'plan', ...kernel],
  },
  bgp: { does: 'BIRD 2: configuration, control socket, supervision', imports: ['base', 'net', 'plan', 'sys'] },
  felix: {
    does: 'the per-host agent: configuration sources, event loop, status',
    imports: [...facts, 'plan', 'datastore', 'ipam', 'client', 'policy', 'routing', ...kernel, 'dataplane', 'bgp'],
  },
  workload: {
    does: 'attaching a workload to a host: link, addresses, gateway, and taking it away',
    imports: ['base', 'net', 'sys', 'netlink'],
  },
  docker: {
    does: "Docker's network and IPAM plugin, and what it asks of an engine",
    imports: [...facts, 'datastore', 'ipam', 'client', 'sys', 'netlink', 'nftables', 'workload'],
  },
  localapi: { does: "the daemon's unix socket: protocol, server, client", imports: ['base', 'net', 'api'] },
  node: {
    does: "a host's start-up and supervision: calico-node",
    imports: [
      ...facts,
      'plan',
      'datastore',
      'ipam',
      'client',
      'policy',
      'routing',
      ...kernel,
      'dataplane',
      'bgp',
      'felix',
      'workload',
      'docker',
      'localapi',
    ],
  },
  cli: {
    does: 'calicoctl: one command a file, one printer',
    imports: [
      ...facts,
      'plan',
      'datastore',
      'client',
      'ipam',
      'policy',
      'advice',
      'features',
      'bgp',
      'workload',
      'docker',
      'localapi',
    ],
  },
  bin: { does: 'executables of a few lines', imports: ['base', 'felix', 'node', 'cli'] },
  lab: {
    does: 'hosts, underlay and workloads as namespaces on one machine: demo and system tests stand on it',
    imports: [...facts, 'plan', 'datastore', 'ipam', 'client', ...kernel, 'workload', 'docker', 'localapi'],
  },
  bench: { does: 'benchmarks: ours, a floor, the ratio', imports: ['*'] },
  test: { does: 'system tests, tests of the checks, set-up', imports: ['*'] },
  scripts: { does: "the repository's own tools", imports: ['api', 'cli'] },
};

/** npm packages and the places that may import them; tests may import what they like. */
const packages: Readonly<Record<string, readonly string[]>> = {
  koffi: ['src/sys/'],
  '@bufbuild/protobuf': ['src/datastore/etcd/'],
  valibot: ['src/api/', 'src/localapi/', 'src/docker/'],
  yaml: ['src/cli/', 'scripts/'],
  commander: ['src/cli/'],
  pino: ['src/base/'],
  'prom-client': ['src/base/'],
};

const childProcess = [
  'src/bgp/',
  'src/node/',
  'src/datastore/etcd/',
  'src/dataplane/iptables-legacy.ts',
  'src/cli/programs.ts',
  'lab/',
  'bench/',
  'scripts/',
  'test/',
];

/** `src/net/prefix.ts` → `net`; `lab/demo.ts` → `lab`. */
function folderOf(path: string): string {
  const parts = path.split('/');
  return (parts[0] === 'src' ? parts[1] : parts[0]) ?? '';
}

const isTest = (path: string): boolean => /\.(test|contract|fake)\.ts$/.test(path) || path.startsWith('test/');

/** Every module a source text names, types included. */
export function importsOf(text: string): string[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const forms = [
    /^\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((found) => found[1] ?? ''));
}

function checkPackage(path: string, name: string): string | undefined {
  if (isTest(path)) return undefined;
  const root = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? name);
  const places = packages[root];
  if (places === undefined) return `imports package "${root}", which no folder may: add it to scripts/layers.ts`;
  return places.some((place) => path.startsWith(place))
    ? undefined
    : `imports "${root}", which only ${places.join(', ')} may`;
}

function checkNodeModule(path: string, name: string): string | undefined {
  if (isTest(path)) return undefined;
  if (pure.has(folderOf(path)) || pureFiles.has(path)) return `is pure and imports "${name}"`;
  if (name === 'node:child_process' && !childProcess.some((place) => path.startsWith(place))) {
    return `imports "${name}": children are started only in ${childProcess.join(', ')}`;
  }
  return undefined;
}

/** Rules finer than whole folders. */
function checkFinePrint(path: string, target: string): string | undefined {
  const from = folderOf(path);
  if ((pure.has(from) || pureFiles.has(path)) && folderOf(target) === 'base' && !pureBase.has(target)) {
    return `is pure and imports ${target}: of base only errors.ts and hash.ts`;
  }
  if (from === 'routing' && folderOf(target) === 'ipam' && target !== 'src/ipam/block.ts') {
    return 'may import of ipam only block.ts';
  }
  return undefined;
}

function checkRelative(path: string, name: string): string | undefined {
  const target = posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts');
  const from = folderOf(path);
  const to = folderOf(target);
  if (target.startsWith('../')) return `imports "${name}" from outside the repository`;
  if (from === to || isTest(path)) return undefined;
  const allowed = layers[from]?.imports ?? [];
  if (allowed.includes('*') || allowed.includes(to)) return checkFinePrint(path, target);
  return `imports ${to}: ${from} may import only ${allowed.length === 0 ? 'itself' : allowed.join(', ')}`;
}

/** Violations of one file, each a sentence that begins with its path. */
export function checkFile(path: string, text: string): string[] {
  if (layers[folderOf(path)] === undefined) return [`${path}: folder "${folderOf(path)}" is not in scripts/layers.ts`];
  return importsOf(text)
    .map((name) => {
      if (name.startsWith('.')) return checkRelative(path, name);
      return name.startsWith('node:') ? checkNodeModule(path, name) : checkPackage(path, name);
    })
    .filter((violation) => violation !== undefined)
    .map((violation) => `${path}: ${violation}`);
}

/** The table of ARCHITECTURE.md. */
export function layersTable(): string {
  const rows = Object.entries(layers).map(([name, layer]) => {
    const place = ['lab', 'bench', 'test', 'scripts'].includes(name) ? name : `src/${name}`;
    const imports = layer.imports.includes('*') ? 'everything' : layer.imports.join(' ') || 'nothing';
    return [`\`${place}/\``, layer.does, imports];
  });
  return markdownTable(['folder', 'holds', 'may import'], rows).join('\n');
}

function sourceFiles(): string[] {
  return ['src', 'lab', 'bench', 'scripts', 'test'].flatMap((top) =>
    readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => join(top, file)),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href && process.argv[1]?.endsWith('layers.js') === true) {
  const violations = sourceFiles().flatMap((path) => checkFile(path, readFileSync(path, 'utf8')));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
