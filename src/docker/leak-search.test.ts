import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { UnavailableError } from '../base/errors.js';
import { silentLog } from '../base/log.js';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Ipam } from '../ipam/ipam.js';
import { AddressBook } from './address-book.js';
import { type DockerEndpoint, DockerEndpoints } from './endpoints.js';
import { DockerEngine } from './engine.js';
import { FakeEngine } from './engine.fake.js';
import { LeakSearch } from './leak-search.js';

const HANDLE = 'libnetwork.calico-01';
const LIVE = 'a'.repeat(64);
const STALE = 'b'.repeat(64);

let fake: FakeEngine;
let clock: FakeClock;
let ipam: Ipam;
let endpoints: DockerEndpoints;
let book: AddressBook;
let search: LeakSearch;
let loose: string[];
const removed: string[] = [];

const endpoint = (id: string, address: string): DockerEndpoint => ({
  id,
  networkId: 'n'.repeat(64),
  network: 'net1',
  interfaceName: `cali${id.slice(0, 11)}`,
  addresses: [address],
  mac: undefined,
  ipam: 'calico',
  profile: 'net1',
  sandbox: undefined,
});

beforeEach(async () => {
  fake = await FakeEngine.start();
  clock = new FakeClock();
  const client = new Client(new MemoryDatastore());
  ipam = new Ipam(client.datastore);
  endpoints = new DockerEndpoints(client, 'calico-01');
  book = new AddressBook(clock);
  loose = [];
  removed.length = 0;
  search = new LeakSearch({
    engine: new DockerEngine(fake.socketPath),
    endpoints,
    ipam,
    handleId: HANDLE,
    book,
    kernel: {
      lay: () => Promise.resolve(),
      addSecondWay: () => Promise.resolve(true),
      detach: ({ hostInterface }) => Promise.resolve(removed.push(hostInterface) > 0),
      listLoose: () => Promise.resolve(loose),
      isTaken: () => Promise.resolve(false),
      mtu: () => Promise.resolve(1_500),
    },
    clock,
    log: silentLog,
  });
  const spec = { cidr: '192.168.0.0/24' };
  await client.create({ apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name: 'office' }, spec });
  for (const address of ['192.168.0.1', '192.168.0.2', '192.168.0.3', '192.168.0.4']) {
    await ipam.assignIp({ address, hostname: 'calico-01', handleId: HANDLE });
  }
  await endpoints.put(endpoint(LIVE, '192.168.0.1'));
  await endpoints.put(endpoint(STALE, '192.168.0.2'));
  fake.answers.set('/containers/json?all=1', {
    value: [
      {
        Id: 'c',
        Names: ['/web'],
        NetworkSettings: { Networks: { net1: { NetworkID: 'n', EndpointID: LIVE, IPAddress: '192.168.0.1' } } },
      },
    ],
  });
  fake.answers.set('/networks', {
    value: [{ Id: 'n', Name: 'net1', IPAM: { Config: [{ AuxiliaryAddresses: { router: '192.168.0.4' } }] } }],
  });
});
afterEach(() => fake[Symbol.asyncDispose]());

const held = (): Promise<readonly string[]> => ipam.addressesByHandle(HANDLE);
const known = async (): Promise<string[]> => (await endpoints.load()).map(({ id }) => id);

async function look(): Promise<number | undefined> {
  const engine = new DockerEngine(fake.socketPath);
  return search.look(await engine.listNetworks(), new AbortController().signal);
}

describe('LeakSearch.look()', () => {
  test('takes away what has been nobody’s for long enough, and nothing else', async () => {
    loose = ['cali1', 'cali2'];
    expect(await look()).toBe(20_000);
    expect(await held()).toHaveLength(4);
    await clock.advance(19_999);
    loose = ['cali2'];
    expect(await look()).toBe(20_000);
    expect(await held()).toHaveLength(4);
    await clock.advance(1);
    expect(await look()).toBeUndefined();
    expect(await held()).toEqual(['192.168.0.1', '192.168.0.4']);
    expect(await known()).toEqual([LIVE]);
    expect(removed).toEqual([`cali${STALE.slice(0, 11)}`, 'cali2']);
  });

  test('leaves what the engine has just got', async () => {
    book.add('192.168.0.3');
    await look();
    await clock.advance(20_000);
    await look();
    expect(await held()).toContain('192.168.0.3');
  });

  test('gives a container whose addresses are new a minute to show', async () => {
    loose = [`cali${STALE.slice(0, 11)}`];
    book.add('192.168.0.2');
    await look();
    for (const waitMs of [20_000, 39_999]) {
      await clock.advance(waitMs);
      expect(await look()).toBe(20_000);
      expect(await known()).toEqual([LIVE, STALE]);
      expect(removed).toEqual([]);
    }
    await clock.advance(1);
    expect(await look()).toBeUndefined();
    expect(await known()).toEqual([LIVE]);
    expect(await held()).not.toContain('192.168.0.2');
  });

  test('gives a container that shows late its time', async () => {
    await look();
    await clock.advance(10_000);
    const place = (EndpointID: string, IPAddress: string) => ({ NetworkID: 'n', EndpointID, IPAddress });
    fake.answers.set('/containers/json?all=1', {
      value: [LIVE, STALE].map((id, index) => ({
        Id: id,
        NetworkSettings: { Networks: { net1: place(id, `192.168.0.${index + 1}`) } },
      })),
    });
    await look();
    await clock.advance(20_000);
    await look();
    expect(await known()).toEqual([LIVE, STALE]);
    expect(await held()).toEqual(['192.168.0.1', '192.168.0.2', '192.168.0.4']);
  });

  test('takes away what ended containers still show', async () => {
    const place = { NetworkID: 'n', EndpointID: STALE, IPAddress: '192.168.0.2' };
    fake.answers.set('/containers/json?all=1', {
      value: [{ Id: 'c', State: 'exited', NetworkSettings: { Networks: { net1: place } } }],
    });
    await look();
    await clock.advance(20_000);
    await look();
    expect(await known()).toEqual([]);
    expect(await held()).toEqual(['192.168.0.4']);
  });

  test('touches nothing when the engine does not answer', async () => {
    await look();
    await clock.advance(30_000);
    fake.answers.delete('/networks');
    await expect(look()).rejects.toThrow('page not found');
    await fake[Symbol.asyncDispose]();
    await expect(look()).rejects.toThrow(UnavailableError);
    expect(await held()).toHaveLength(4);
    fake = await FakeEngine.start();
  });
});
