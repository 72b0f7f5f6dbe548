import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * Builds `dist/image/calico-node.tar`, the image `calico/node`, out of what is on this machine: nothing is downloaded. It is an OCI layout
 * that `docker load`, `podman load` and `skopeo` read. Two layers: programs and libraries of the system, and this product.
 */
const archive = 'dist/image/calico-node.tar';
/** Of this run alone: what another one makes at the same time, or left when it was broken off, is not mixed in. */
const output = `dist/image-${process.pid}`;
const version = `v${(JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version}`;
const tags = [`calico/node:latest`, `calico/node:${version}`];

/** What calico-node starts, and what people look at a host with. */
const programs = [
  'bird',
  'birdc',
  'nft',
  'ip',
  'ss',
  'xtables-nft-multi',
  'xtables-legacy-multi',
  'etcd',
  'busybox',
] as const;
/** Names by which the two programs of iptables are called. */
const iptablesNames = ['', '-save', '-restore'].flatMap((suffix) =>
  ['iptables', 'ip6tables'].flatMap((name) => [
    [`${name}${suffix}`, 'xtables-nft-multi'],
    [`${name}-nft${suffix}`, 'xtables-nft-multi'],
    [`${name}-legacy${suffix}`, 'xtables-legacy-multi'],
  ]),
);
const searched = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'];
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

function fail(message: string): never {
  process.stderr.write(`image: ${message}\n`);
  process.exit(1);
}

function findProgram(name: string): string {
  const found = searched.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return (
    found ??
    fail(
      `${name} is not installed\n  hint: apt-get install bird2 nftables iproute2 iptables etcd-server busybox-static`,
    )
  );
}

/** The shared libraries of a program, the loader included; none for a static one. */
function librariesOf(program: string): string[] {
  try {
    const text = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return [...text.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path = '']) => path);
  } catch {
    // "not a dynamic executable".
    return [];
  }
}

/** Copies a file to the same place below `root`, links in the way resolved: /lib is /usr/lib. */
function copyInto(root: string, path: string): void {
  const target = join(root, realpathSync(dirname(path)), basename(path));
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(path), target);
  chmodSync(target, statSync(path).mode & 0o777);
}

function write(root: string, path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { mode });
}

function link(root: string, path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  if (lstatSync(join(root, path), { throwIfNoEntry: false }) === undefined) symlinkSync(target, join(root, path));
}

function buildSystem(root: string): void {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', name), { recursive: true });
    link(root, name, `usr/${name}`);
  }
  for (const folder of ['etc', 'proc', 'sys', 'dev', 'run', 'root', 'var/lib/calico', 'var/log/calico', 'var/tmp']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  mkdirSync(join(root, 'tmp'), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  link(root, 'var/run', '/run');
  write(root, 'etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  write(root, 'etc/group', 'root:x:0:\nnogroup:x:65534:\n');
  write(root, 'etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  const plugins = readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name, 'xtables'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const files = [realpathSync(process.execPath), ...programs.map(findProgram), ...plugins];
  for (const file of new Set([...files, ...files.flatMap(librariesOf)])) copyInto(root, file);
  if (!existsSync(join(root, 'usr/bin/node'))) link(root, 'usr/bin/node', realpathSync(process.execPath));
  for (const [name = '', program = ''] of iptablesNames) link(root, `usr/sbin/${name}`, program);
  const applets = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).split('\n');
  const taken = new Set(['usr/bin', 'usr/sbin'].flatMap((folder) => readdirSync(join(root, folder))));
  for (const name of applets) if (name !== '' && !taken.has(name)) link(root, `usr/bin/${name}`, 'busybox');
}

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Folders below node_modules that the daemons need, npm's flat layout assumed. */
function runtimePackages(): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (folder: string): void => {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as Package;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = join('node_modules', name);
      if (found.has(place) || !existsSync(place)) continue;
      found.add(place);
      follow(place);
    }
  };
  follow('.');
  return found;
}

function buildProduct(root: string): void {
  const place = join(root, 'opt/calico');
  const isNeeded = (path: string): boolean => !/(\.map|\.d\.[cm]?ts|\.md|\.test\.js)$/.test(path);
  for (const folder of ['src', 'bin']) {
    cpSync(join('dist', folder), join(place, folder), { recursive: true, filter: isNeeded, verbatimSymlinks: true });
  }
  for (const folder of runtimePackages()) {
    cpSync(folder, join(place, folder), { recursive: true, filter: isNeeded, dereference: true });
  }
  copyFileSync('package.json', join(place, 'package.json'));
  copyFileSync('LICENSE', join(place, 'LICENSE'));
  for (const name of ['calico-node', 'calico-felix', 'calicoctl']) {
    link(root, `usr/local/bin/${name}`, `/opt/calico/bin/${name}`);
  }
}

const digestOf = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** The time of what is built, so that the same sources give the same image. */
function builtAt(): string {
  try {
    return new Date(execFileSync('git', ['log', '-1', '--format=%cI'], { encoding: 'utf8' }).trim()).toISOString();
  } catch {
    // No clone: no time either.
    return new Date(0).toISOString();
  }
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

function keepBlob(bytes: Buffer | string): Blob {
  const digest = digestOf(bytes);
  write(output, `layout/blobs/sha256/${digest}`, typeof bytes === 'string' ? bytes : '');
  if (typeof bytes !== 'string') writeFileSync(join(output, 'layout/blobs/sha256', digest), bytes);
  return { digest: `sha256:${digest}`, size: Buffer.byteLength(bytes) };
}

/** Names, owners and times in a fixed form. */
const TAR = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--format=posix'];
const PAX = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime';

function layerOf(root: string): { readonly blob: Blob; readonly diffId: string } {
  const tar = execFileSync('tar', [...TAR, PAX, '-C', root, '-c', '.'], { maxBuffer: 2 ** 30 });
  return { blob: keepBlob(gzipSync(tar, { level: 6 })), diffId: `sha256:${digestOf(tar)}` };
}

/** What runs that were killed left. */
function removeLeftovers(): void {
  for (const name of readdirSync('dist')) {
    const [, pid] = /^image-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join('dist', name), { recursive: true, force: true });
  }
}

function main(): void {
  const architecture = architectures[process.arch] ?? fail(`no image for ${process.arch}: x64 and arm64 are known`);
  if (!existsSync('dist/bin/calico-node')) fail('dist is not built: run scripts/build');
  removeLeftovers();
  process.once('exit', () => rmSync(output, { recursive: true, force: true }));
  // Who hears of a signal ends by itself, after the child of the moment.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  buildSystem(join(output, 'system'));
  buildProduct(join(output, 'product'));
  const layers = ['system', 'product'].map((name) => layerOf(join(output, name)));
  const created = builtAt();
  const labels = {
    'org.opencontainers.image.title': 'calico-node',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
  const config = keepBlob(
    JSON.stringify({
      created,
      architecture,
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', 'CALICO_NODE_CONTAINER=true'],
        Entrypoint: ['/usr/local/bin/calico-node'],
        WorkingDir: '/',
        Labels: labels,
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: [
        { created, created_by: 'scripts/image: system' },
        { created, created_by: 'scripts/image: calico-node' },
      ],
    }),
  );
  const type = 'application/vnd.oci.image';
  const manifest = keepBlob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${type}.manifest.v1+json`,
      config: { mediaType: `${type}.config.v1+json`, ...config },
      layers: layers.map(({ blob }) => ({ mediaType: `${type}.layer.v1.tar+gzip`, ...blob })),
    }),
  );
  const pathOf = ({ digest }: Blob): string => `blobs/sha256/${digest.replace('sha256:', '')}`;
  write(output, 'layout/oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const named = tags.map((tag) => ({
    mediaType: `${type}.manifest.v1+json`,
    ...manifest,
    annotations: { 'io.containerd.image.name': `docker.io/${tag}`, 'org.opencontainers.image.ref.name': tag },
  }));
  write(output, 'layout/index.json', JSON.stringify({ schemaVersion: 2, manifests: named }));
  // What engines before 25 read.
  const docker = [{ Config: pathOf(config), RepoTags: tags, Layers: layers.map(({ blob }) => pathOf(blob)) }];
  write(output, 'layout/manifest.json', JSON.stringify(docker));
  const written = join(output, basename(archive));
  execFileSync('tar', [...TAR, PAX, '-C', join(output, 'layout'), '-cf', written, '.']);
  mkdirSync(dirname(archive), { recursive: true });
  // Whole, or as it was.
  renameSync(written, archive);
  const megabytes = (statSync(archive).size / 1e6).toFixed(0);
  process.stdout.write(`${archive}: ${tags.join(', ')} (${megabytes} MB)\n  use it: docker load -i ${archive}\n`);
}

main();
