import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CalicoctlFake } from '../calicoctl.fake.js';

const tier = (name: string) => `apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\n`;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-input-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function validate(...words: readonly string[]) {
  const calicoctl = new CalicoctlFake(undefined, { readFile: (path) => readFile(path, 'utf8') });
  const { status, stdout, stderr } = await calicoctl.run(['validate', '-f', directory, ...words]);
  return [status, (stdout + stderr).replaceAll(`${directory}/`, '')];
}

describe('-f with a directory', () => {
  test('takes the files that links lead to, as a mounted ConfigMap has them', async () => {
    await mkdir(join(directory, '..data'));
    await writeFile(join(directory, '..data', 'a.yaml'), tier('a'));
    await symlink('..data/a.yaml', join(directory, 'a.yaml'));
    expect(await validate()).toEqual([0, "Successfully validated 1 'Tier' resource(s)\n"]);
  });

  test('follows no link to a directory, which may be its own', async () => {
    await writeFile(join(directory, 'a.yaml'), tier('a'));
    await symlink('.', join(directory, 'again.yaml'));
    expect(await validate('-R')).toEqual([0, "Successfully validated 1 'Tier' resource(s)\n"]);
  });

  test('tells of a link that leads nowhere', async () => {
    await symlink('gone', join(directory, 'a.yaml'));
    expect(await validate()).toEqual([1, 'failed to execute command: cannot read "a.yaml": there is no such file\n']);
  });
});
