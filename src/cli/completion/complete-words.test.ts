import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONFIG_OPTION, GLOBAL_OPTIONS } from '../command.js';
import { COMMANDS, GROUPS } from '../command-list.js';
import { completeWords } from './complete-words.js';
import { COMPLETION_SCRIPTS } from './completion-scripts.js';

const vocabulary = { commands: COMMANDS, groups: GROUPS, globalOptions: [...GLOBAL_OPTIONS, CONFIG_OPTION] };

const live = {
  names: (kind: string, namespace: string | undefined) =>
    Promise.resolve([`${kind}-a`, `${kind}-b`, ...(namespace === undefined ? [] : [`in-${namespace}`]), '$(reboot)']),
  namespaces: () => Promise.resolve(['default', 'shop']),
};

async function completed(text: string): Promise<string> {
  const found = await completeWords(text.split(' '), vocabulary, live);
  return found.map(({ value }) => value).join(' ');
}

describe('completeWords()', () => {
  test.each([
    ['ge', 'get'],
    ['ipam sh', 'show'],
    ['datastore migrate l', 'lock'],
    ['-c x.cfg ge', 'get'],
    ['__c', ''],
    ['nothing at all ', ''],
    ['get netw', 'networkpolicy networkset'],
    ['get gn', 'gnp gnps gnetset gnetsets'],
    ['get IPPOOL ', 'IPPool-a IPPool-b'],
    ['get ippool IPPool-a ', 'IPPool-b'],
    ['get np ', 'NetworkPolicy-a NetworkPolicy-b in-default'],
    ['get np -n shop in', 'in-shop'],
    ['get np --namespace=shop in', 'in-shop'],
    ['get np -n ', 'default shop'],
    ['get np --namespace=s', '--namespace=shop'],
    ['get np -o js', 'json'],
    ['get np --output=y', '--output=yaml'],
    ['get np -o custom-columns=NAME,O', 'custom-columns=NAME,ORDER'],
    ['get np --sort-by .spec.o', '.spec.order'],
    ['get np --sho', '--show-labels'],
    ['get np --show-labels --sho', ''],
    ['get -f ', ':files'],
    ['apply --filename=', ':files'],
    ['get --log-level ', 'panic fatal error warn info debug'],
    ['patch tier Tier-a -t ', 'strategic merge json'],
    ['edit ippool IPPool-a ', ''],
    ['wait tier x --for ', 'create delete condition= jsonpath='],
    ['explain ippool.sp', 'ippool.spec'],
    ['explain ippool.spec.cid', 'ippool.spec.cidr'],
    ['explain np.spec.ingress.source.notP', 'np.spec.ingress.source.notPorts'],
    ['completion ', 'bash zsh fish'],
  ])('%s', async (text, candidates) => {
    expect(await completed(text)).toBe(candidates);
  });

  test('offers kinds by their own names first, and words of help', async () => {
    expect((await completed('get ')).split(' ')).toHaveLength(22);
    const [found] = await completeWords(['ipam', 'ch'], vocabulary, live);
    expect(found?.help).toBe(COMMANDS.find(({ name }) => name === 'ipam check')?.help);
  });

  test('never fails, whatever is typed', async () => {
    const words = fc.constantFrom(
      'get',
      'ipam',
      '-o',
      '-n',
      '--output=',
      '=',
      '',
      '--',
      'np',
      'explain',
      'np.',
      '.',
      '-',
      'x',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(words, fc.string()), { maxLength: 6 }), async (typed) => {
        const found = await completeWords(typed, vocabulary, live);
        expect(found.every(({ value }) => /^(:files|[\w.,:=/@+-]+)$/.test(value))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('COMPLETION_SCRIPTS', () => {
  test.each([...COMPLETION_SCRIPTS])('that of %s asks calicoctl, and leaves nothing of our quoting', (_, script) => {
    expect(script).toContain('__complete -- ');
    expect(script).toContain(':files');
    expect(script).not.toContain('\\$');
    expect(script.endsWith('\n')).toBe(true);
  });
});
