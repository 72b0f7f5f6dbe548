import { describe, expect, test } from 'vitest';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake, ok } from '../calicoctl.fake.js';

const yaml = (kind: string, name: string, spec: object, more: object = {}) =>
  `${JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, ...more }, spec })}\n---\n`;
const workload = (name: string, labels: object) =>
  yaml(
    'WorkloadEndpoint',
    `n1-cni-${name}-eth0`,
    {
      orchestrator: 'cni',
      node: 'n1',
      containerID: name,
      endpoint: 'eth0',
      interfaceName: `cali${name}`,
      ipNetworks: ['192.168.0.1/32'],
      profiles: ['projectcalico-default-allow'],
    },
    { namespace: 'shop', labels },
  );
const policy = (name: string, spec: object) => yaml('NetworkPolicy', name, spec, { namespace: 'shop' });

async function setUp(datastore = new MemoryDatastore()) {
  const calicoctl = new CalicoctlFake(datastore);
  await calicoctl.run(['apply', '-f', '-'], workload('web', { app: 'frontend' }));
  return calicoctl;
}

describe('warnings of a write', () => {
  test('stand on stderr and leave everything else as it is', async () => {
    const calicoctl = await setUp();
    const odd = policy('odd', {
      selector: "app == 'fronted'",
      ingress: [{ action: 'Deny' }, { action: 'Allow', protocol: 'TCP' }],
    });
    expect(await calicoctl.run(['apply', '-f', '-'], odd)).toEqual({
      status: 0,
      stdout: "Successfully applied 1 'NetworkPolicy' resource(s)\n",
      stderr: [
        'warning: NetworkPolicy "shop/odd": spec.selector: nothing has "fronted" as its label "app"',
        '  hint: did you mean "frontend"?',
        `warning: NetworkPolicy "shop/odd": it selects nothing: namespace "shop" has no endpoint that matches app == 'fronted'`,
        'warning: NetworkPolicy "shop/odd": spec.ingress[1] is never reached: spec.ingress[0] (Deny) decides all that it could match',
        '  hint: put it before spec.ingress[0], or take it out',
        '',
      ].join('\n'),
    });
    expect(await calicoctl.run(['replace', '--no-warnings', '-f', '-'], odd)).toEqual(
      ok("Successfully replaced 1 'NetworkPolicy' resource(s)\n"),
    );
  });

  test('count who would lose DNS, also in a dry run and by what is deleted', async () => {
    const calicoctl = await setUp();
    const dns = policy('dns', {
      order: 1,
      egress: [{ action: 'Allow', protocol: 'UDP', destination: { ports: [53] } }],
    });
    const closed = policy('closed', { order: 2, types: ['Egress'] });
    const lost = 'it leaves 1 workload without DNS: nothing lets them reach port 53 any more (shop/n1-cni-web-eth0)';
    expect((await calicoctl.run(['create', '--dry-run', '-f', '-'], closed)).stderr).toContain(
      `"shop/closed": ${lost}`,
    );
    expect((await calicoctl.run(['create', '-f', '-'], dns + closed)).stderr).toBe('');
    expect((await calicoctl.run(['delete', 'policy', 'dns', '-n', 'shop'])).stderr).toContain(`"shop/dns": ${lost}`);
  });

  test('are not in the way where nothing may be read', async () => {
    const datastore = new MemoryDatastore();
    const calicoctl = await setUp(datastore);
    const list = datastore.list.bind(datastore);
    datastore.list = (kind, options) =>
      kind === 'HostEndpoint' ? Promise.reject(new Error('permission denied')) : list(kind, options);
    expect(await calicoctl.run(['apply', '-f', '-'], policy('p', {}))).toEqual({
      status: 0,
      stdout: "Successfully applied 1 'NetworkPolicy' resource(s)\n",
      stderr: 'warning: nothing is known of what this change does to others: permission denied\n',
    });
  });

  test('cost nothing where no policy is written', async () => {
    const datastore = new MemoryDatastore();
    const calicoctl = await setUp(datastore);
    datastore.list = () => Promise.reject(new Error('nobody needs this'));
    expect((await calicoctl.run(['apply', '-f', '-'], yaml('Tier', 't', { order: 1 }))).stderr).toBe('');
  });

  test('of a patch and a label are those of an apply', async () => {
    const calicoctl = await setUp();
    await calicoctl.run(['apply', '-f', '-'], policy('closed', { order: 2, types: ['Ingress'] }));
    const patched = ['patch', 'policy', 'closed', '-n', 'shop', '-p', '{"spec":{"types":["Egress"]}}'];
    const lost = /^warning: NetworkPolicy "shop\/closed": it leaves 1 workload without DNS: [^\n]*\n  hint: /;
    expect(await calicoctl.run([...patched, '--dry-run'])).toEqual({
      status: 0,
      stdout: "NetworkPolicy(shop/closed) would be changed\nWould have patched 1 'NetworkPolicy' resource\n",
      stderr: expect.stringMatching(lost) as string,
    });
    expect((await calicoctl.run([...patched, '--no-warnings'])).stderr).toBe('');
    const odd = policy('odd', { selector: "app == 'fronted'" });
    await calicoctl.run(['apply', '--no-warnings', '-f', '-'], odd);
    expect((await calicoctl.run(['label', 'policy', 'odd', 'a=b', '-n', 'shop'])).stderr).toContain(
      'warning: NetworkPolicy "shop/odd": spec.selector: nothing has "fronted" as its label "app"',
    );
  });

  test('say nothing of a patch that is refused', async () => {
    const calicoctl = await setUp();
    await calicoctl.run(['apply', '--no-warnings', '-f', '-'], policy('odd', { selector: "app == 'fronted'" }));
    const { status, stderr } = await calicoctl.run([
      'patch',
      'policy',
      'odd',
      '-n',
      'shop',
      '-p',
      '{"spec":{"order":"x"}}',
    ]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^hit error: /)]);
  });
});
