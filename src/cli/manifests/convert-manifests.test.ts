import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CalicoctlFake } from '../calicoctl.fake.js';

const calicoctl = new CalicoctlFake().type;

const pool = (cidr: string) => `apiVersion: v1\nkind: ipPool\nmetadata: {cidr: ${cidr}}\n`;
const policy = 'apiVersion: v1\nkind: policy\nmetadata: {name: p}\nspec: {doNotTrack: true, preDNAT: true}\n';

describe('calicoctl convert', () => {
  test('prints one resource as it is, in YAML or JSON', async () => {
    const { status, stdout } = await calicoctl('convert -f -', pool('10.1.0.0/16'));
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^apiVersion: projectcalico.org\/v3\nkind: IPPool\nmetadata:\n {2}name: 10-1-0-0-16\nspec:\n/,
    );
    const json = await calicoctl('convert -f - -o json', pool('10.1.0.0/16'));
    expect(JSON.parse(json.stdout)).toEqual(parse(stdout));
  });

  test('prints several as a list that apply takes', async () => {
    const list = `apiVersion: v1\nkind: ipPoolList\nitems: [{apiVersion: v1, kind: ipPool, metadata: {cidr: 10.2.0.0/16}}]\n`;
    const array = '[{apiVersion: v1, kind: node, metadata: {name: n}}]\n';
    const { stdout } = await calicoctl('convert -f -', `${pool('10.1.0.0/16')}---\n${list}---\n${array}`);
    expect(parse(stdout)).toMatchObject({
      apiVersion: 'v1',
      kind: 'List',
      metadata: {},
      items: [{ metadata: { name: '10-1-0-0-16' } }, { metadata: { name: '10-2-0-0-16' } }, { kind: 'Node' }],
    });
    expect((await calicoctl('apply -f -', stdout)).stdout).toBe('Successfully applied 3 resource(s)\n');
  });

  test('says what breaks rules of today, and prints it only when asked to', async () => {
    expect(await calicoctl('convert -f -', policy)).toEqual({
      status: 1,
      stdout: '',
      stderr: [
        'Converted manifest resource(s) failed validation: stdin:1:1: GlobalNetworkPolicy "p": spec.preDNAT: it excludes doNotTrack: one of the two is true',
        "  hint: re-run the command with '--ignore-validation' flag to see the converted output",
        '',
      ].join('\n'),
    });
    const { status, stdout } = await calicoctl('convert -f - --ignore-validation', policy);
    expect([status, parse(stdout)]).toMatchObject([0, { kind: 'GlobalNetworkPolicy', spec: { preDNAT: true } }]);
  });

  test('prints nothing when something cannot be converted, and says where it stands', async () => {
    const node = 'apiVersion: v1\nkind: node\nmetadata: {name: n}\nspec:\n  bgp: {asNumber: 1}\n';
    expect(await calicoctl('convert -f - --ignore-validation', `${pool('10.1.0.0/16')}---\n${node}`)).toEqual({
      status: 1,
      stdout: '',
      stderr: [
        'failed to convert resource: stdin:9:8: node "n": spec.bgp: no BGP IP address and subnet specified',
        '  hint: give ipv4Address, or leave out bgp',
        '',
      ].join('\n'),
    });
    expect((await calicoctl('convert -f -', 'apiVersion: v1\nkind: tier\nmetadata: {name: t}\n')).stderr).toBe(
      'stdin:2:7: tier "t": kind: conversion for the resource type \'tier\' is not supported\n',
    );
    expect((await calicoctl('convert -f - -o xml', policy)).stderr).toMatch(/unrecognized output format 'xml'/);
    expect((await calicoctl('convert -f -', '')).stderr).toBe('no resources specified in file -\n');
  });
});
