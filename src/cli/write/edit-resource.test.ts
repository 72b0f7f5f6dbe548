import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake, ok, refused } from '../calicoctl.fake.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-edit-test-'));
  vi.stubEnv('TMPDIR', directory);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

/** An editor that is a shell script: `$1` is the file, `$n` counts the times it was opened. What it found is kept in `seen.N`. */
async function editor(script: string): Promise<string> {
  const path = join(directory, 'editor with blanks');
  const counting = `n=$(( $(cat ${directory}/count 2>/dev/null || echo 0) + 1 )); echo $n > ${directory}/count; cp "$1" ${directory}/seen.$n`;
  await writeFile(path, `#!/bin/sh\nset -e\n${counting}\n${script}\n`);
  await chmod(path, 0o755);
  return `"${path}"`;
}

async function setUp() {
  const datastore = new MemoryDatastore();
  const calicoctl = new CalicoctlFake(datastore);
  const pool = `{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p1, labels: {a: b}}, spec: {cidr: 10.0.0.0/16}}`;
  await calicoctl.run(['apply', '-f', '-'], pool);
  const edit = async (script: string) =>
    calicoctl.run(['edit', 'ippool', 'p1'], '', {
      environment: { PATH: process.env['PATH'] ?? '', EDITOR: 'false', CALICOCTL_EDITOR: await editor(script) },
    });
  const stored = async () => (await datastore.get({ kind: 'IPPool', name: 'p1' })).value;
  return { calicoctl, datastore, edit, stored };
}

const keptFolders = async () => (await readdir(directory)).filter((name) => name.startsWith('calicoctl-edit-'));

const seen = (number: number) => readFile(join(directory, `seen.${number}`), 'utf8');

/** The file that an error says is kept, and nothing is left of it afterwards. */
async function kept(stderr: string): Promise<string> {
  const path = /kept in (\S+):/.exec(stderr)?.[1] ?? '';
  const text = await readFile(path, 'utf8');
  await rm(join(path, '..'), { recursive: true });
  return text;
}

describe('calicoctl edit', () => {
  test('saves what the editor leaves, labels taken away too, and removes the file', async () => {
    const { edit, stored } = await setUp();
    expect(
      await edit(
        `sed -i -e 's/^  a: b$//' -e '/labels:/d' -e '/ a: b/d' -e 's/^spec:/spec:\\n  natOutgoing: true/' "$1"`,
      ),
    ).toEqual(ok("Successfully edited 1 'IPPool' resource\n"));
    const { metadata, spec } = await stored();
    expect([spec.natOutgoing, metadata.labels]).toEqual([true, undefined]);
    expect(await keptFolders()).toEqual([]);
  });

  test.each(['true', `echo '# a remark' > "$1"`, `sed -i 's/^spec:/spec: /' "$1"`])(
    'changes nothing when nothing changed: %s',
    async (script) => {
      const { edit } = await setUp();
      expect(await edit(script)).toEqual(ok('Edit cancelled, no changes made\n'));
    },
  );

  test('shows above the text why it cannot be saved, and opens it again', async () => {
    const { edit, stored } = await setUp();
    const script = `case $n in
      1) sed -i 's/natOutgoing.*//; s/^spec:/spec:\\n  natOutgoin: true/' "$1";;
      2) sed -i 's/natOutgoin:/natOutgoing:/; s/blockSize: 26/blockSize: 27/' "$1";;
      3) sed -i 's/blockSize: 27/blockSize: [/' "$1";;
      *) sed -i 's/blockSize: .*/blockSize: 26/' "$1";;
    esac`;
    expect(await edit(script)).toEqual(ok("Successfully edited 1 'IPPool' resource\n"));
    expect((await stored()).spec.natOutgoing).toBe(true);
    expect((await seen(1)).split('\n').slice(0, 3)).toEqual([
      '# Change what stands below, save, and leave the editor. Lines that begin with # do not count.',
      '# Left as it is, or empty, nothing is changed.',
      'apiVersion: projectcalico.org/v3',
    ]);
    expect((await seen(2)).split('\n').slice(0, 5)).toEqual([
      '# This could not be saved:',
      '#   IPPool "p1": spec.natOutgoin: field in document is not recognized or is in the wrong location: natOutgoin',
      '#     hint: did you mean "natOutgoing"?',
      '# Mend it below. Left as it is, nothing is changed, and the file is kept.',
      'apiVersion: projectcalico.org/v3',
    ]);
    expect(await seen(3)).toContain('#   IPPool "p1": spec.blockSize: it cannot change (from 26 to 27)');
    const [line = ''] = /ippool-p1.yaml:(\d+):/.exec(await seen(4)) ?? [];
    const place = Number(/:(\d+):/.exec(line)?.[1]);
    expect(
      (await seen(4))
        .split('\n')
        .slice(place - 3, place)
        .join('\n'),
    ).toContain('blockSize: [');
  });

  test('warns of what is odd about a policy before it is saved', async () => {
    const { calicoctl } = await setUp();
    const policy =
      '{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: p}, spec: {order: 1}}';
    await calicoctl.run(['apply', '-f', '-'], policy);
    const rules = `sed -i 's/^  order: 1/  order: 1\\n  ingress: [{action: Deny}, {action: Allow}]/' "$1"`;
    const environment = { PATH: process.env['PATH'] ?? '', EDITOR: await editor(rules) };
    const { stdout, stderr } = await calicoctl.run(['edit', 'gnp', 'p'], '', { environment });
    expect(stdout).toBe("Successfully edited 1 'GlobalNetworkPolicy' resource\n");
    expect(stderr).toContain('warning: GlobalNetworkPolicy "p": spec.ingress[1] is never reached');
  });

  test('keeps the file when the same mistake is saved again', async () => {
    const { edit, stored } = await setUp();
    const { status, stderr } = await edit(`sed -i 's/blockSize: 26/blockSize: 27/' "$1"`);
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      'IPPool "p1": spec.blockSize: it cannot change (from 26 to 27)',
    ]);
    expect(await kept(stderr)).toContain('blockSize: 27');
    expect((await stored()).spec.blockSize).toBe(26);
  });

  test('keeps the file when somebody else was quicker, whatever became of the revision in it', async () => {
    const { edit, datastore } = await setUp();
    const key = { kind: 'IPPool', name: 'p1' } as const;
    const update = datastore.get.bind(datastore);
    let reads = 0;
    datastore.get = async (asked, options) => {
      // Changed by another hand between the first read and the write.
      if (asked.kind === 'IPPool' && (reads += 1) === 2) {
        const { value } = await update(key);
        await datastore.put(key, { ...value, spec: { ...value.spec, disabled: true } });
      }
      return update(asked, options);
    };
    const { status, stderr } = await edit(
      `sed -i -e '/resourceVersion/d' -e 's/^spec:/spec:\\n  natOutgoing: true/' "$1"`,
    );
    expect([status, stderr.split('\n')[0]]).toEqual([1, 'update conflict: IPPool(p1)']);
    expect(await kept(stderr)).toContain('natOutgoing: true');
    expect((await update(key)).value.spec.disabled).toBe(true);
  });

  test('keeps the file when the editor fails', async () => {
    const { edit } = await setUp();
    const { stderr } = await edit('echo "# more" >> "$1"; exit 3');
    expect(stderr).toContain('the editor "');
    expect(stderr).toContain('ended with status 3');
    expect(await kept(stderr)).toContain('cidr: 10.0.0.0/16');
  });

  test('keeps no file when the editor changed nothing, or is not there', async () => {
    const { calicoctl, edit } = await setUp();
    expect((await edit('exit 3')).stderr).toMatch(/^the editor ".*" ended with status 3\n$/);
    expect(await calicoctl.run(['edit', 'ippool', 'p1'], '', { environment: { EDITOR: '/nonexistent/vi' } })).toEqual(
      refused(
        'the editor "/nonexistent/vi" is not installed\n  hint: name another in CALICOCTL_EDITOR, VISUAL or EDITOR\n',
      ),
    );
    expect(await keptFolders()).toEqual([]);
  });

  test('refuses to make another resource of it, and one that does not exist', async () => {
    const { edit, calicoctl } = await setUp();
    const { stderr } = await edit(`sed -i 's/name: p1/name: p2/' "$1"`);
    expect(stderr).toContain('metadata.name cannot change: it says which resource it is');
    await kept(stderr);
    expect((await calicoctl.run(['edit', 'ippool', 'none'])).stderr).toContain('resource does not exist: IPPool(none)');
  });
});
