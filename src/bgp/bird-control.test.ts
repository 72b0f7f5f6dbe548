import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { BirdControl } from './bird-control.js';
import { FakeControlSocket } from './control-socket.fake.js';

let folder = '';
let path = '';
let bird: FakeControlSocket;
let opened: BirdControl[] = [];

async function open(clock = new FakeClock()): Promise<BirdControl> {
  const control = await BirdControl.open(path, { clock });
  opened.push(control);
  return control;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-bird-'));
  path = join(folder, 'bird.ctl');
  bird = new FakeControlSocket(path);
});

afterEach(async () => {
  for (const control of opened) await control.close();
  opened = [];
  await bird.die();
  await rm(folder, { recursive: true, force: true });
});

describe('BirdControl.open()', () => {
  test('fails where nobody listens, and says where', async () => {
    await expect(open()).rejects.toMatchObject({
      code: 'ERR_CALI_BIRD_UNAVAILABLE',
      message: `cannot speak with BIRD at ${path}: connect ENOENT ${path}`,
      cause: { code: 'ENOENT' },
    });
  });

  test('gives up on one that accepts and never greets', async () => {
    bird.greeting = undefined;
    await bird.listen();
    const clock = new FakeClock();
    const refused = expect(open(clock)).rejects.toThrow('no answer to "its greeting" in 2 s');
    await clock.advance(2_000);
    await refused;
  });
});

describe('BirdControl', () => {
  test('reads the status, past log output that comes between', async () => {
    await bird.listen();
    const control = await open();
    bird.say('+<INFO> Reconfiguring\n');
    expect(await control.status()).toEqual({
      version: '2.0.12',
      routerId: '192.0.2.1',
      lastReboot: '2026-01-01 11:00:00.000',
      lastReconfiguration: '2026-01-01 11:30:00.000',
      isRecovering: false,
    });
  });

  test('takes overlapping commands and gives each its own answer', async () => {
    await bird.listen();
    const control = await open();
    const [status, refused, configured] = await Promise.allSettled([
      control.request('show status'),
      control.request('nonsense'),
      control.configure('/etc/bird.cfg'),
    ]);
    expect(bird.commands).toEqual(['show status', 'nonsense', 'configure "/etc/bird.cfg"']);
    expect(status).toMatchObject({ value: { code: 13 } });
    expect(refused).toMatchObject({ reason: { code: 'ERR_CALI_BIRD_REFUSED' } });
    expect(configured.status).toBe('fulfilled');
  });

  test('says why BIRD refuses a configuration', async () => {
    bird.answers.set('configure', '0002-Reading configuration from x\n8002 x:7:3 syntax error\n');
    await bird.listen();
    await expect((await open()).configure('x')).rejects.toMatchObject({
      code: 'ERR_CALI_BIRD_REFUSED',
      message: 'BIRD refuses "configure "x"": x:7:3 syntax error',
    });
  });

  test('ends the connection when one answer does not come, and fails everything that waits', async () => {
    bird.answers.set('show', undefined);
    await bird.listen();
    const clock = new FakeClock();
    const control = await open(clock);
    const waiting = Promise.allSettled([control.status(), control.routes()]);
    await clock.advance(2_000);
    for (const result of await waiting) {
      expect(result).toMatchObject({ reason: { code: 'ERR_CALI_BIRD_UNAVAILABLE' } });
    }
    await control.closed;
    await expect(control.status()).rejects.toThrow('the connection has ended');
    expect(clock.timers).toBe(0);
  });

  test('fails what waits when BIRD dies, and says that the connection is closed', async () => {
    bird.answers.set('show', undefined);
    await bird.listen();
    const control = await open();
    const waiting = expect(control.protocols()).rejects.toMatchObject({ code: 'ERR_CALI_BIRD_UNAVAILABLE' });
    await vi.waitFor(() => expect(bird.commands).toEqual(['show protocols']));
    await bird.die();
    await waiting;
    expect(await control.closed).toBeUndefined();
  });

  test('sends nothing of a command that is more than a line', async () => {
    await bird.listen();
    await expect((await open()).configure('x"\ndown\n')).rejects.toThrow('a command to BIRD is one line');
    expect(bird.commands).toEqual([]);
  });
});
