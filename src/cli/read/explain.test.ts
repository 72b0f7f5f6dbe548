import { describe, expect, test } from 'vitest';
import { isPublicKind, publicKinds } from '../../api/registry.js';
import { formatError } from '../../base/errors.js';
import { explain } from './explain.js';
import { fieldTree, findField } from './field-tree.js';
import { formatBlock } from '../printer.js';

function explained(typed: string, options: Readonly<Record<string, unknown>> = {}): string {
  return (explain({ arguments: [typed], options }).output ?? []).map(formatBlock).join('');
}

function refusal(typed: string): string {
  try {
    return explained(typed);
  } catch (error) {
    return formatError(error);
  }
}

describe('explain()', () => {
  test('says what a kind is and what may stand in it', () => {
    const text = explained('tier');
    expect(text).toMatch(
      /^KIND {6}Tier, of projectcalico.org\/v3\nNAMES {5}tier, tiers\nSCOPE {5}the whole cluster\nMEANING {3}\S.*\n\nFIELDS OF spec\n/,
    );
    expect(text).toMatch(/\n {2}defaultAction {2}<Deny, Pass>, default Deny\n {6}\S/);
  });

  test('says value, need, default and meaning of a field', () => {
    expect(explained('ippool.spec.cidr')).toMatch(
      /^FIELD {5}IPPool spec\.cidr\nVALUE {5}a CIDR without bits past its prefix.*\nREQUIRED {2}yes\nMEANING {3}\S.*\n$/,
    );
    expect(explained('pool.IPIPMODE')).toContain(
      'FIELD     IPPool spec.ipipMode\nVALUE     Never, Always, CrossSubnet\n',
    );
    expect(explained('pool.ipipMode')).toContain('DEFAULT   Never\n');
  });

  test('knows the defaults of the agent, as they are written', () => {
    expect(explained('felixconfig.spec.defaultEndpointToHostAction')).toContain('DEFAULT   Drop\n');
    expect(explained('felixconfig.spec.reportingInterval')).toContain('DEFAULT   30s\n');
    expect(explained('felixconfig.spec.bpfMapSizeNATFrontend')).toContain('DEFAULT   65536\n');
    expect(explained('felixconfig.spec.nftablesMarkMask')).toContain('DEFAULT   0xffff0000\n');
    expect(explained('felixconfig')).toContain('see the table of parameters.\n');
  });

  test('goes through lists, and down when asked to', () => {
    expect(explained('np.spec.ingress[0].source.nets')).toContain('FIELD     NetworkPolicy spec.ingress.source.nets\n');
    const deep = explained('np.ingress', { recursive: true });
    expect(deep).toMatch(/\n {2}source {2}<fields>\n {4}nets {2}<list of /);
    expect(explained('np', { recursive: true })).toMatch(/\nFIELDS\n {2}metadata {2}<fields>, required\n {4}name /);
  });

  test.each([
    ['unicorn', "resource type 'unicorn' is not supported"],
    ['ippool.spec.cdir', 'there is no field "cdir" in IPPool spec\n  hint: did you mean "cidr"?'],
    ['ippool.natOutgoin', 'there is no field "natOutgoin" in IPPool spec\n  hint: did you mean "natOutgoing"?'],
    ['tier.spec.order.x', 'Tier spec.order has no fields'],
    ['tier.zzzzzzzzz', 'there is no field "zzzzzzzzz" in Tier spec\n  hint: it has: order, defaultAction'],
    ['tier.metadata.lables', 'there is no field "lables" in Tier metadata\n  hint: did you mean "labels"?'],
  ])('refuses %s', (typed, said) => {
    expect(refusal(typed)).toBe(said);
  });

  test.each(Object.keys(publicKinds).filter(isPublicKind))('has a meaning for every field of %s', (kind) => {
    const tree = fieldTree(kind);
    expect(tree.filter(({ meaning }) => meaning === '')).toEqual([]);
    for (const { path } of tree) expect(findField(kind, path).path).toBe(path);
  });
});
