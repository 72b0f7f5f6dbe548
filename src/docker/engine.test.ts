import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NotFoundError, UnavailableError, UnsupportedError } from '../base/errors.js';
import { DockerEngine, DOCKER_SOCKET } from './engine.js';
import { FakeEngine } from './engine.fake.js';

const ID = 'a'.repeat(64);
let fake: FakeEngine;
let engine: DockerEngine;

beforeEach(async () => {
  fake = await FakeEngine.start();
  engine = new DockerEngine(fake.socketPath);
});
afterEach(() => fake[Symbol.asyncDispose]());

describe('DockerEngine.fromEnvironment()', () => {
  test('asks the engine of this host unless DOCKER_HOST names another', () => {
    expect(DockerEngine.fromEnvironment({}).address).toBe(DOCKER_SOCKET);
    expect(DockerEngine.fromEnvironment({ DOCKER_HOST: ' ' }).address).toBe(DOCKER_SOCKET);
    expect(DockerEngine.fromEnvironment({ DOCKER_HOST: 'unix:///run/other.sock' }).address).toBe('/run/other.sock');
    expect(DockerEngine.fromEnvironment({ DOCKER_HOST: 'tcp://[2001:db8::1]:2375' }).address).toBe(
      'tcp://[2001:db8::1]:2375',
    );
  });

  test('refuses what it cannot speak', () => {
    for (const address of ['ssh://root@192.0.2.1', 'tcp://192.0.2.1', 'nonsense']) {
      expect(() => new DockerEngine(address)).toThrow(UnsupportedError);
    }
  });
});

describe('DockerEngine.inspectContainer()', () => {
  test('tells what matters of a running container', async () => {
    fake.answers.set('/containers/web/json', {
      value: {
        Id: ID,
        Name: '/web',
        State: { Pid: 4711, Running: true, Status: 'running' },
        HostConfig: { NetworkMode: 'none' },
        NetworkSettings: {
          SandboxKey: '/var/run/docker/netns/abc',
          Networks: {
            net1: { EndpointID: 'e1', Aliases: ['www'], DNSNames: ['web', 'www'] },
            net2: { EndpointID: 'e2' },
          },
        },
        Config: { Labels: { tier: 'front' } },
      },
    });
    expect(await engine.inspectContainer('web')).toEqual({
      id: ID,
      name: 'web',
      pid: 4711,
      isRunning: true,
      networkMode: 'none',
      sandboxKey: '/var/run/docker/netns/abc',
      labels: { tier: 'front' },
      aliases: { e1: ['www', 'web'], e2: [] },
    });
  });

  test('does without what the engine leaves out', async () => {
    fake.answers.set('/containers/web/json', { value: { Id: ID, State: {}, Config: { Labels: null } } });
    expect(await engine.inspectContainer('web')).toMatchObject({
      pid: 0,
      isRunning: false,
      labels: {},
      sandboxKey: '',
    });
  });

  test("throws NotFoundError with the engine's words", async () => {
    fake.answers.set('/containers/nosuch/json', { status: 404, message: 'No such container: nosuch' });
    await expect(engine.inspectContainer('nosuch')).rejects.toThrow(
      new NotFoundError('ERR_CALI_DOCKER_NOT_FOUND', 'No such container: nosuch'),
    );
  });

  test('escapes names, so that no other question comes of them', async () => {
    await expect(engine.inspectContainer('../networks/x?y')).rejects.toThrow(NotFoundError);
    expect(fake.asked).toEqual(['/containers/..%2Fnetworks%2Fx%3Fy/json']);
  });

  test('says so when what answers is no engine', async () => {
    fake.answers.set('/containers/web/json', { value: 'hello' });
    await expect(engine.inspectContainer('web')).rejects.toMatchObject({ code: 'ERR_CALI_DOCKER_ANSWER' });
    fake.answers.set('/containers/web/json', { value: { Id: 7 } });
    await expect(engine.inspectContainer('web')).rejects.toMatchObject({ code: 'ERR_CALI_DOCKER_ANSWER' });
    fake.answers.set('/containers/web/json', { status: 500, message: 'multiple IDs found\u001b[2J' });
    await expect(engine.inspectContainer('web')).rejects.toMatchObject({
      code: 'ERR_CALI_DOCKER_REFUSED',
      message: String.raw`the Docker engine refuses /containers/web/json: multiple IDs found\x1b[2J`,
    });
  });

  test('throws UnavailableError when nobody listens', async () => {
    const nobody = new DockerEngine(`${fake.socketPath}.none`);
    await expect(nobody.inspectContainer('web')).rejects.toThrow(UnavailableError);
    await expect(nobody.inspectContainer('web')).rejects.toThrow(
      /^no Docker engine .*\.none: there is no such socket$/,
    );
  });

  test("throws the signal's reason when it aborts", async () => {
    const reason = new Error('enough');
    await expect(engine.version({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('DockerEngine.listContainers()', () => {
  test('takes only the name asked for, whatever the engine matched', async () => {
    const filters = encodeURIComponent(JSON.stringify({ name: [String.raw`^/web\.1$`] }));
    fake.answers.set(`/containers/json?all=1&filters=${filters}`, {
      value: [
        { Id: ID, Names: ['/web.1'], State: 'created', Labels: { a: '1' } },
        { Id: 'b', Names: ['/webx1'], State: 'created', Labels: null },
      ],
    });
    expect(await engine.listContainers({ name: 'web.1' })).toEqual([
      { id: ID, names: ['web.1'], state: 'created', labels: { a: '1' }, places: [] },
    ]);
  });
});

describe('DockerEngine.inspectNetwork()', () => {
  test('tells containers that run here from those that start or run elsewhere', async () => {
    fake.answers.set('/networks/net1', {
      value: {
        Id: 'n1',
        Name: 'net1',
        Driver: 'calico',
        Scope: 'global',
        IPAM: { Driver: 'calico', Config: [{ AuxiliaryAddresses: { router: '192.0.2.1' } }] },
        Containers: { [ID]: { Name: 'web', EndpointID: 'e1' }, 'ep-e2': { Name: 'db', EndpointID: 'e2' } },
      },
    });
    expect(await engine.inspectNetwork('net1')).toEqual({
      id: 'n1',
      name: 'net1',
      driver: 'calico',
      ipamDriver: 'calico',
      scope: 'global',
      options: {},
      reservedAddresses: ['192.0.2.1'],
      endpoints: [
        { endpointId: 'e1', name: 'web', containerId: ID },
        { endpointId: 'e2', name: 'db', containerId: undefined },
      ],
    });
  });

  test('lists networks without containers', async () => {
    fake.answers.set('/networks', { value: [{ Id: 'n1', Name: 'none', Driver: 'null', Containers: {} }] });
    expect(await engine.listNetworks()).toMatchObject([{ name: 'none', endpoints: [] }]);
  });
});

describe('DockerEngine.version()', () => {
  test('tells both versions', async () => {
    fake.answers.set('/version', { value: { Version: '26.1.5', ApiVersion: '1.45' } });
    expect(await engine.version()).toEqual({ version: '26.1.5', apiVersion: '1.45' });
  });
});

describe('DockerEngine.events()', () => {
  test.each([
    ['inactive', false],
    ['', false],
    ['pending', true],
    ['active', true],
  ])('tells by the state "%s" whether the host is part of a swarm', async (LocalNodeState, isInSwarm) => {
    fake.answers.set('/info', { value: { Swarm: { LocalNodeState } } });
    expect(await engine.info()).toEqual({ isInSwarm, hasClusterStore: false });
  });

  test('gives events one by one, also when they arrive in pieces, until the signal aborts', async () => {
    const stop = new AbortController();
    const events = engine.events(stop.signal);
    const first = events.next();
    while (fake.listenerCount === 0) await new Promise(setImmediate);
    const line = (action: string): string =>
      JSON.stringify({ Type: 'container', Action: action, Actor: { ID, Attributes: { name: 'web' } } });
    fake.say(`${line('start').slice(0, 20)}`);
    fake.say(`${line('start').slice(20)}\n\n${line('die')}\n`);
    const told = { type: 'container', id: ID, attributes: { name: 'web' } };
    expect((await first).value).toEqual({ ...told, action: 'start' });
    expect((await events.next()).value).toEqual({ ...told, action: 'die' });
    const last = events.next();
    stop.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  test('throws UnavailableError when the engine ends', async () => {
    const next = engine.events(new AbortController().signal).next();
    const refused = expect(next).rejects.toThrow(UnavailableError);
    while (fake.listenerCount === 0) await new Promise(setImmediate);
    fake.hangUp();
    await refused;
  });
});
