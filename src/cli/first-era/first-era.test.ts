import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { Client } from '../../client/client.js';
import { profileName } from '../../docker/network-name.js';
import { Ipam } from '../../ipam/ipam.js';
import { describeFirstEra, firstEra } from './first-era.contract.js';

describeFirstEra('a store in memory', () => Promise.resolve(new MemoryDatastore()));

describe('notes of the first era', () => {
  const noisy = () => firstEra(new MemoryDatastore(), { CALICOCTL_NO_NOTES: '' });

  test.each([
    ['pool show', 'note: today: calicoctl get ippool -o wide\n'],
    ['profile web tag add blue', 'spec.labelsToApply {blue: ""}\n'],
    ['bgp peer add 192.0.2.1 as 64512', 'with a BGPPeer, peerIP 192.0.2.1, asNumber 64512\n'],
    ['ipam info 192.0.2.1', 'note: today: calicoctl ipam show --ip=192.0.2.1\n'],
  ])('%s says what does the same today', async (line, note) => {
    expect((await noisy()(line)).stderr).toContain(note);
  });

  test('words that fit no form get an explanation and no note', async () => {
    const { status, stdout, stderr } = await noisy()('profile web tga show');
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      [
        '"tga" does not fit here: write tag or rule',
        '  calicoctl profile web tga show',
        '                        ^^^',
        '  hint: did you mean "tag"?',
        '',
      ].join('\n'),
    ]);
  });

  test('help shows every form', async () => {
    const { stdout } = await noisy()('profile --help');
    expect(stdout).toContain('calicoctl profile <profile> tag add <tag>');
  });
});

describe('names of the first era', () => {
  test('become names of today, and are found by the old one', async () => {
    const calicoctl = firstEra(new MemoryDatastore());
    const { stdout, stderr } = await calicoctl('profile add Web_Tier');
    expect([stdout, stderr]).toEqual([
      'Created profile Web_Tier\n',
      'note: names have neither capitals nor "_" today: the profile is called "web-tier-38278387"\n',
    ]);
    expect((await calicoctl('profile Web_Tier tag show')).stdout).toBe('Web_Tier\n');
    expect((await calicoctl('profile remove Web_Tier')).stdout).toBe('Deleted profile Web_Tier\n');
  });
});

describe("a Docker network's profile", () => {
  test("is found by the network's name", async () => {
    const datastore = new MemoryDatastore();
    const calicoctl = firstEra(datastore);
    const name = profileName('My_Net');
    await new Client(datastore).create({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Profile',
      metadata: { name },
      spec: { labelsToApply: { [name]: '' } },
    });
    expect((await calicoctl('profile My_Net tag show')).stdout).toBe(`${name}\n`);
  });
});

describe('completion', () => {
  test('knows the words and the profiles', async () => {
    const calicoctl = firstEra(new MemoryDatastore());
    await calicoctl('profile add web');
    const words = async (...typed: readonly string[]) =>
      (await calicoctl(`__complete -- ${typed.join(' ')}`)).stdout.split('\n').map((line) => line.split('\t')[0]);
    expect(await words('profile', 'w')).toContain('web');
    expect(await words('profile', 'web', 'ru')).toContain('rule');
    expect(await words('bgp', 'node-mesh', 'o')).toEqual(expect.arrayContaining(['on', 'off']));
  });
});

describe('ipam info and ipam release', () => {
  test('show what is stored with an address, and give it back', async () => {
    const datastore = new MemoryDatastore();
    const calicoctl = firstEra(datastore);
    await calicoctl('pool add 10.0.0.0/16');
    const ipam = new Ipam(datastore);
    await ipam.assignIp({ address: '10.0.0.1', hostname: 'calico-01', attributes: { node: 'calico-01' } });
    await ipam.assignIp({ address: '10.0.0.2', hostname: 'calico-01' });
    expect((await calicoctl('ipam info 10.0.0.1')).stdout).toBe('Attributes defined for 10.0.0.1\n  node: calico-01\n');
    expect((await calicoctl('ipam info 10.0.0.2')).stdout).toBe('No attributes defined for 10.0.0.2\n');
    expect((await calicoctl('ipam release 10.0.0.1')).stdout).toBe('Address successfully released\n');
    expect((await calicoctl('ipam info 10.0.0.1')).stdout).toBe('IP 10.0.0.1 is not currently assigned\n');
  });
});

describe('--dry-run', () => {
  test('writes nothing and does not say that it did', async () => {
    const calicoctl = firstEra(new MemoryDatastore());
    await calicoctl('profile add web');
    const { status, stdout, stderr } = await calicoctl('profile web tag add blue --dry-run');
    expect([status, stdout + stderr]).toEqual([0, expect.stringMatching(/Profile.*web/)]);
    expect(stdout).not.toContain('added');
    expect((await calicoctl('profile web tag show')).stdout).toBe('web\n');
    expect((await calicoctl('profile show --detailed --dry-run')).stdout).toContain('| web  |');
  });
});
