import { beforeEach, describe, expect, test } from 'vitest';
import { NotFoundError } from '../base/errors.js';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Ipam } from '../ipam/ipam.js';
import { addressesRequest, type AttachRequest, attachRequest } from '../localapi/protocol.js';
import { readRequest } from '../localapi/requests.js';
import type { Attachment } from '../workload/attach.js';
import { Workloads } from './workloads.js';

let datastore: MemoryDatastore;
let client: Client;
let workloads: Workloads;
let cables: Map<string, Attachment>;
let given: string[];
let breaks: boolean;
/** What somebody does while a cable is taken away. */
let onDetach: (() => Promise<unknown>) | undefined;
/** And while it gets an address. */
let onAdd: (() => Promise<unknown>) | undefined;

beforeEach(async () => {
  datastore = new MemoryDatastore();
  client = new Client(datastore);
  cables = new Map();
  given = [];
  breaks = false;
  onDetach = undefined;
  onAdd = undefined;
  workloads = new Workloads({
    client,
    ipam: new Ipam(datastore),
    hostname: 'calico-01',
    kernel: {
      attach: (attachment) => {
        if (breaks) return Promise.reject(new Error('no such namespace'));
        cables.set(attachment.hostInterface, attachment);
        return Promise.resolve({
          hostIndex: 7,
          containerIndex: 2,
          mac: '02:00:5e:00:53:01',
          hostMac: 'ee:ee:ee:ee:ee:ee',
        });
      },
      detach: async ({ hostInterface }) => {
        await onDetach?.();
        return cables.delete(hostInterface);
      },
      addAddress: async ({ hostInterface, address }) => {
        if (breaks) throw new Error('no such namespace');
        given.push(`${hostInterface} ${address}`);
        await onAdd?.();
      },
      removeAddress: ({ hostInterface, address }) => {
        given = given.filter((held) => held !== `${hostInterface} ${address}`);
        return Promise.resolve(true);
      },
      mtu: () => Promise.resolve(1_450),
    },
  });
  await client.create({
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'office' },
    spec: { cidr: '192.168.0.0/29', blockSize: 29 },
  });
});

const ID = '0123456789abcdef0123456789abcdef';
const attach = (more: Partial<AttachRequest> = {}) =>
  workloads.attach(readRequest(attachRequest, { netns: '/run/netns/web', workload: ID, ...more }));

async function assigned(): Promise<number> {
  const { items } = await datastore.list('IPAMBlock');
  return items.flatMap(({ value }) => value.allocations.filter((entry) => entry !== null)).length;
}

describe('Workloads', () => {
  test('attaching assigns an address, makes the cable and writes the endpoint', async () => {
    const made = await attach({ labels: { app: 'web' }, profiles: ['net1'], namespace: 'shop' });
    expect(made).toEqual({
      name: `calico--01-cni-${ID}-eth0`,
      namespace: 'shop',
      interfaceName: 'cali0123456789a',
      addresses: ['192.168.0.0/32'],
      mac: '02:00:5e:00:53:01',
      hostMac: 'ee:ee:ee:ee:ee:ee',
    });
    expect(cables.get('cali0123456789a')).toMatchObject({
      netns: '/run/netns/web',
      mtu: 1_450,
      containerInterface: 'eth0',
    });
    const { value } = await client.get({ kind: 'WorkloadEndpoint', namespace: 'shop', name: made.name });
    expect(value.metadata.labels).toMatchObject({ app: 'web', 'projectcalico.org/namespace': 'shop' });
    expect(value.spec).toMatchObject({
      node: 'calico-01',
      containerID: ID,
      ipNetworks: ['192.168.0.0/32'],
      interfaceName: 'cali0123456789a',
      profiles: ['net1'],
    });
  });

  test('attaching again keeps the addresses', async () => {
    const [first, second] = await Promise.all([attach(), attach()]);
    expect(second).toEqual(first);
    expect(await assigned()).toBe(1);
  });

  test('detaching takes everything away, twice is fine', async () => {
    const { name } = await attach();
    expect(await workloads.detach('default', name)).toEqual({ wasAttached: true });
    expect(await workloads.detach('default', name)).toEqual({ wasAttached: false });
    expect(cables.size).toBe(0);
    expect(await assigned()).toBe(0);
    expect((await client.list('WorkloadEndpoint')).length).toBe(0);
  });

  test('a failure leaves nothing', async () => {
    breaks = true;
    await expect(attach()).rejects.toThrow('no such namespace');
    expect(await assigned()).toBe(0);
    expect((await client.list('WorkloadEndpoint')).length).toBe(0);
  });

  test('takes the addresses asked for, also outside the pools, and refuses those of others', async () => {
    const made = await attach({ addresses: ['192.168.0.5', '203.0.113.7/24'] });
    expect(made.addresses).toEqual(['192.168.0.5/32', '203.0.113.7/32']);
    expect(await attach({ addresses: ['192.168.0.5'] })).toMatchObject({ addresses: ['192.168.0.5/32'] });
    await expect(attach({ workload: 'other', addresses: ['192.168.0.5'] })).rejects.toThrow('192.168.0.5');
    expect(await assigned()).toBe(1);
  });

  test('attached again with other addresses, gives back those it had; a failure keeps them', async () => {
    await attach({ addresses: ['192.168.0.5', '192.168.0.6'] });
    await attach({ addresses: ['192.168.0.4', '192.168.0.6'] });
    const ipam = new Ipam(datastore);
    const handle = `default.calico--01-cni-${ID}-eth0`;
    expect([...(await ipam.addressesByHandle(handle))].toSorted()).toEqual(['192.168.0.4', '192.168.0.6']);
    breaks = true;
    await expect(attach({ addresses: ['192.168.0.3'] })).rejects.toThrow('no such namespace');
    expect([...(await ipam.addressesByHandle(handle))].toSorted()).toEqual(['192.168.0.4', '192.168.0.6']);
  });

  test('a workload whose endpoint somebody deletes meanwhile gives its addresses back all the same', async () => {
    const { name } = await attach();
    onDetach = () => client.delete({ kind: 'WorkloadEndpoint', namespace: 'default', name });
    expect(await workloads.detach('default', name)).toEqual({ wasAttached: true });
    expect(await assigned()).toBe(0);
  });

  test('a pool that is used up is said in words, and nothing of it stays', async () => {
    await attach({ workload: 'big', ipv4: 7 });
    await expect(attach({ ipv4: 2 })).rejects.toThrow('pool "office": no address left for host "calico-01"');
    expect(await assigned()).toBe(7);
  });

  test('a request that makes no sense is refused with its fields', () => {
    expect(() => readRequest(attachRequest, { netns: 'relative', workload: '' })).toThrow(
      'netns: is not an absolute path; workload: is empty',
    );
  });

  const more = (body: object) => readRequest(addressesRequest, { netns: '/run/netns/web', ...body });

  test('an attached workload gets more addresses and gives them back', async () => {
    const { name } = await attach();
    const two = await workloads.addAddresses('default', name, more({}));
    expect(two.spec.ipNetworks).toEqual(['192.168.0.0/32', '192.168.0.1/32']);
    const three = await workloads.addAddresses('default', name, more({ addresses: ['192.168.0.1', '203.0.113.7'] }));
    expect(three.spec.ipNetworks).toEqual(['192.168.0.0/32', '192.168.0.1/32', '203.0.113.7/32']);
    expect(given).toEqual(['cali0123456789a 192.168.0.1/32', 'cali0123456789a 203.0.113.7/32']);
    expect(await assigned()).toBe(2);
    const identity = { namespace: 'default', name };
    const left = await workloads.removeAddress(identity, '192.168.0.1', { netns: 7 });
    expect(left.spec.ipNetworks).toEqual(['192.168.0.0/32', '203.0.113.7/32']);
    expect(given).toEqual(['cali0123456789a 203.0.113.7/32']);
    expect(await assigned()).toBe(1);
    await expect(workloads.removeAddress(identity, '192.168.0.1', { netns: 7 })).rejects.toThrow(
      `workload "default/${name}" does not have 192.168.0.1`,
    );
  });

  test('keeps what others change of an endpoint while it gets an address, and does not bring back one that they delete', async () => {
    const { name } = await attach();
    const key = { kind: 'WorkloadEndpoint', namespace: 'default', name } as const;
    onAdd = () => client.change(key, (now) => ({ ...now, spec: { ...now.spec, profiles: ['web'] } }));
    const { spec } = await workloads.addAddresses('default', name, more({}));
    expect(spec).toMatchObject({ profiles: ['web'], ipNetworks: ['192.168.0.0/32', '192.168.0.1/32'] });
    onAdd = () => client.delete(key);
    await expect(workloads.addAddresses('default', name, more({}))).rejects.toThrow(NotFoundError);
    expect(await client.find(key)).toBeUndefined();
    expect(given).toEqual(['cali0123456789a 192.168.0.1/32']);
  });

  test('an address that cannot be given leaves nothing', async () => {
    const { name } = await attach();
    breaks = true;
    await expect(workloads.addAddresses('default', name, more({ ipv4: 2 }))).rejects.toThrow('no such namespace');
    expect((await workloads.get('default', name)).spec.ipNetworks).toEqual(['192.168.0.0/32']);
    expect(await assigned()).toBe(1);
  });

  test('lists the workloads of this host only', async () => {
    const { name } = await attach();
    const { value } = await client.get({ kind: 'WorkloadEndpoint', namespace: 'default', name });
    const { resourceVersion: _, ...metadata } = value.metadata;
    const elsewhere = { ...value.spec, node: 'calico-02' };
    await client.apply({
      ...value,
      metadata: { ...metadata, name: name.replace('01', '02') },
      spec: { ...elsewhere, interfaceName: 'cali7' },
    });
    expect((await workloads.list()).map(({ metadata: { name: listed } }) => listed)).toEqual([name]);
    await expect(workloads.get('default', 'nothing')).rejects.toThrow('there is no workload "default/nothing"');
  });

  test('a workload of another host is left alone', async () => {
    const { name } = await attach();
    const elsewhere = new Workloads({
      client,
      ipam: new Ipam(datastore),
      hostname: 'calico-02',
      kernel: {
        attach: () => Promise.reject(new Error('no')),
        detach: () => Promise.resolve(false),
        addAddress: () => Promise.reject(new Error('no')),
        removeAddress: () => Promise.resolve(false),
        mtu: () => Promise.resolve(1),
      },
    });
    await expect(elsewhere.detach('default', name)).rejects.toThrow('is on node "calico-01", not on "calico-02"');
  });
});
