import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  isNamespaced,
  isPublicKind,
  type PublicKind,
  publicKinds,
  type PublicResourceByKind,
} from '../../api/registry.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake } from '../calicoctl.fake.js';
import { columnsOf } from './columns.js';
import type { Surroundings } from '../command.js';

type AnyResource = PublicResourceByKind[PublicKind];

const KINDS = Object.keys(publicKinds).filter(isPublicKind);

/** A datastore that holds the documented example of a kind, and calicoctl over it. */
async function withExample(kind: PublicKind, more: Partial<Surroundings> = {}) {
  const { metadata, spec } = publicKinds[kind].examples.valid;
  const namespace = isNamespaced(kind) ? (metadata.namespace ?? 'shop') : undefined;
  const key = { kind, name: metadata.name, ...(namespace === undefined ? {} : { namespace }) };
  const complete = { ...metadata, ...(namespace === undefined ? {} : { namespace }) };
  const value = { apiVersion: 'projectcalico.org/v3', kind, metadata: complete, spec };
  const datastore = new MemoryDatastore();
  await datastore.create(key, value as unknown as AnyResource);
  const calicoctl = new CalicoctlFake(datastore, more);
  return { calicoctl, name: metadata.name, place: namespace === undefined ? [] : ['-n', namespace] };
}

describe('calicoctl get, of every kind', () => {
  test.each(KINDS)('prints a table of %s, wide and narrow', async (kind) => {
    const { calicoctl, place } = await withExample(kind);
    for (const isWide of [false, true]) {
      const { status, stdout } = await calicoctl.run(['get', kind, ...place, '-o', isWide ? 'wide' : 'ps']);
      const headings = columnsOf(kind, isWide).map(({ heading }) => heading);
      const [first = '', ...rows] = stdout.split('\n');
      expect([status, first.split(/ +/)]).toEqual([0, [...(place.length === 0 ? [] : ['NAMESPACE']), ...headings]]);
      expect(rows.at(-1)).toBe('');
      expect(rows.length).toBeGreaterThanOrEqual(3);
    }
  });

  test.each(KINDS)('prints %s as a list, and one as it is', async (kind) => {
    const { calicoctl, place, name } = await withExample(kind);
    const list = JSON.parse((await calicoctl.run(['get', kind, ...place, '-o', 'json'])).stdout) as {
      kind: string;
      items: readonly AnyResource[];
    };
    expect(list.kind).toBe(`${kind}List`);
    const one = parse((await calicoctl.run(['get', kind, name, ...place, '-o', 'yaml'])).stdout) as AnyResource;
    expect(list.items).toContainEqual(one);
    const template = 'go-template={{range .}}{{range .Items}}{{.Name}} {{end}}{{end}}';
    expect((await calicoctl.run(['get', kind, ...place, '-o', template])).stdout.split(' ')).toContain(name);
  });

  test.each(KINDS.filter((kind) => kind !== 'ClusterInformation'))('takes back what it printed of %s', async (kind) => {
    const { calicoctl, place, name } = await withExample(kind);
    const { stdout } = await calicoctl.run(['get', kind, name, ...place, '-o', 'yaml', '--export']);
    expect(await calicoctl.run(['apply', ...place, '-f', '-'], stdout)).toMatchObject({
      status: 0,
      stdout: `Successfully applied 1 '${kind}' resource(s)\n`,
    });
  });
});

describe('calicoctl get on a terminal', () => {
  const terminals = { stdout: true, stderr: true };

  test('makes headings bold', async () => {
    const { calicoctl } = await withExample('IPPool', { terminals });
    const [heading = ''] = (await calicoctl.run(['get', 'ippool'])).stdout.split('\n');
    expect([heading.startsWith('\u001b[1mNAME '), heading.endsWith('SELECTOR\u001b[22m')]).toEqual([true, true]);
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('leaves colours out with %j', async (environment) => {
    const { calicoctl } = await withExample('IPPool', { terminals, environment });
    expect((await calicoctl.run(['get', 'ippool'])).stdout).toMatch(/^NAME /);
  });
});

describe('calicoctl, misspelt', () => {
  test.each([
    [['gte', 'node'], 'did you mean get?'],
    [['ipam', 'shwo'], 'did you mean show?'],
    [['get', 'node', '--wtach'], 'did you mean --watch?'],
    [['get', 'nodse'], 'did you mean "node"?'],
    [['get', 'node', '-o', 'ymal'], 'did you mean "yaml"?'],
    [['get', 'node', '-o', 'custom-columns=IPV5'], 'did you mean "IPV4"?'],
    [['explain', 'ippool.spec.blocksise'], 'did you mean "blockSize"?'],
    [['wait', 'node', 'a', '--for=deleet'], 'did you mean "delete"?'],
    [['completion', 'bsh'], 'did you mean "bash"?'],
  ])('%j', async (words, said) => {
    const { calicoctl } = await withExample('Node');
    const { status, stderr } = await calicoctl.run(words);
    expect(status).toBe(1);
    expect(stderr).toContain(said);
  });
});
