import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { BirdProcess } from './bird-process.js';
import { FakeControlSocket } from './control-socket.fake.js';

/** Notes how it is called; refuses texts with "nonsense" in them, and to start while there is a file `broken`. */
const PROGRAM = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case "$1" in
-p) ! grep -q nonsense "$3" || { echo "$3:1:1 syntax error" >&2; exit 1; } ;;
*) [ ! -e "$here/broken" ] || { echo 'bird: it is broken' >&2; exit 1; } ;;
esac
`;

let folder = '';
let socket: FakeControlSocket;
let clock: FakeClock;
let bird: BirdProcess;
let problems: (string | undefined)[] = [];

const file = (name: string): string => join(folder, name);
const configured = (): string => `configure "${file('bird.cfg')}"`;

function process(command: string): BirdProcess {
  return new BirdProcess({
    configFile: file('bird.cfg'),
    socket: file('bird.ctl'),
    pidFile: file('bird.pid'),
    logFile: file('bird.log'),
    command: [command],
    // The longest delay that the bound allows.
    random: () => 1,
    onProblem: (problem) => problems.push(problem?.code),
    clock,
  });
}

/** The arguments of every start, checks of a configuration left out. */
async function starts(): Promise<string[]> {
  const calls = await readFile(file('calls'), 'utf8').catch(() => '');
  return calls.split('\n').filter((line) => line !== '' && !line.startsWith('-p'));
}

/** Answers the start that is under way: the socket appears, and the clock moves until it is seen. */
async function comeUp(): Promise<void> {
  await socket.listen();
  await vi.waitFor(async () => {
    await clock.advance(20);
    expect(bird.control).toBeDefined();
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-bird-'));
  await writeFile(file('program'), PROGRAM);
  await chmod(file('program'), 0o755);
  socket = new FakeControlSocket(file('bird.ctl'));
  clock = new FakeClock();
  problems = [];
  bird = process(file('program'));
});

afterEach(async () => {
  await bird.close();
  await socket.die();
  await rm(folder, { recursive: true, force: true });
});

describe('BirdProcess', () => {
  test('adopts the BIRD that runs: starts none, and tells it the configuration once', async () => {
    await socket.listen();
    await bird.apply('router id 192.0.2.1;');
    await bird.apply('router id 192.0.2.1;');
    expect(await starts()).toEqual([]);
    expect(socket.commands).toEqual([configured()]);
    expect(await readFile(file('bird.cfg'), 'utf8')).toBe('router id 192.0.2.1;');
    expect([bird.problem, problems]).toEqual([undefined, []]);
  });

  test('takes only the last of several texts that wait', async () => {
    await socket.listen();
    await Promise.all(['one', 'two', 'three'].map((config) => bird.apply(config)));
    expect(socket.commands).toEqual([configured()]);
    expect(await readFile(file('bird.cfg'), 'utf8')).toBe('three');
  });

  test('starts one where none runs, to wait for its peers only when a predecessor left its routes', async () => {
    const first = bird.apply('one');
    await vi.waitFor(async () => expect(await starts()).toHaveLength(1));
    await comeUp();
    await first;
    const call = `-c ${file('bird.cfg')} -s ${file('bird.ctl')} -P ${file('bird.pid')}`;
    // What was started has read its configuration.
    expect([await starts(), socket.commands]).toEqual([[call], []]);

    await writeFile(file('bird.pid'), '4711\n');
    await socket.die();
    await vi.waitFor(() => expect(bird.problem).toMatchObject({ code: 'ERR_CALI_BIRD_UNAVAILABLE' }));
    await clock.advance(500);
    await vi.waitFor(async () => expect(await starts()).toEqual([call, `${call} -R`]));
    await comeUp();
    await vi.waitFor(() => expect(problems).toEqual(['ERR_CALI_BIRD_UNAVAILABLE', undefined]));
  });

  test('keeps the old configuration when the new one is refused, and says why', async () => {
    await socket.listen();
    await bird.apply('good');
    await bird.apply('nonsense');
    expect(bird.problem).toMatchObject({
      code: 'ERR_CALI_BIRD_REFUSED',
      message: `BIRD refuses its configuration: ${file('bird.cfg')}.staged:1:1 syntax error`,
    });
    expect(await readFile(file('bird.cfg'), 'utf8')).toBe('good');
    expect(socket.commands).toHaveLength(1);
    expect(clock.timers, 'asking again would not help').toBe(0);
    await bird.apply('good');
    expect([bird.problem, socket.commands.length]).toEqual([undefined, 1]);
  });

  test('asks again, when it is asked to, where a BIRD that runs refused what its check had let pass', async () => {
    await socket.listen();
    await bird.apply('one');
    socket.answers.set('configure', '0002-Reading configuration from x\n8002 x:1:1 no such table\n');
    for (const commands of [2, 3]) {
      await bird.apply('two');
      expect(bird.problem).toMatchObject({ code: 'ERR_CALI_BIRD_REFUSED' });
      expect([socket.commands.length, clock.timers]).toEqual([commands, 0]);
    }
    socket.answers.delete('configure');
    await bird.apply('two');
    expect([bird.problem, socket.commands.length]).toEqual([undefined, 4]);
  });

  test('starts nothing with a first configuration that is refused', async () => {
    await bird.apply('nonsense');
    expect(bird.problem).toMatchObject({ code: 'ERR_CALI_BIRD_REFUSED' });
    expect(await starts()).toEqual([]);
  });

  test('tries a start that fails again, twice as late each time, at most every 30 s', async () => {
    await writeFile(file('broken'), '');
    await bird.apply('one');
    expect(bird.problem).toMatchObject({
      code: 'ERR_CALI_BIRD_START',
      message: 'cannot start BIRD: bird: it is broken',
    });
    for (const [index, delayMs] of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
      await vi.waitFor(() => expect(clock.nextTimerMs).toBe(delayMs));
      expect(await starts()).toHaveLength(index + 1);
      await clock.advance(delayMs);
    }
    expect(problems).toEqual(['ERR_CALI_BIRD_START']);
  });

  test('starts one that dies again and again ever later, and one that lived a minute at once', async () => {
    await socket.listen();
    await bird.apply('one');
    for (const [livedMs, delayMs] of [
      [1_000, 500],
      [1_000, 1_000],
      [61_000, 500],
    ] as const) {
      await clock.advance(livedMs);
      const before = (await starts()).length;
      await socket.die();
      await vi.waitFor(() => expect(clock.nextTimerMs).toBe(delayMs));
      await clock.advance(delayMs - 1);
      expect(await starts()).toHaveLength(before);
      await clock.advance(1);
      await vi.waitFor(async () => expect(await starts()).toHaveLength(before + 1));
      await comeUp();
    }
    await vi.waitFor(() => expect(bird.problem).toBeUndefined());
  });

  test('says that the program is missing and what to install, and finds it when it is there', async () => {
    bird = process(file('later'));
    await bird.apply('one');
    expect(bird.problem).toMatchObject({ code: 'ERR_CALI_BIRD_MISSING', hint: 'install bird2' });
    await writeFile(file('later'), PROGRAM);
    await chmod(file('later'), 0o755);
    await clock.advance(500);
    await vi.waitFor(async () => expect(await starts()).toHaveLength(1));
    await comeUp();
    await vi.waitFor(() => expect(bird.problem).toBeUndefined());
  });

  test('close() says nothing to BIRD, stop() tells it to end, whoever started it', async () => {
    await socket.listen();
    await bird.apply('one');
    await bird.close();
    expect(socket.commands).toEqual([configured()]);
    bird = process(file('program'));
    const stopped = bird.stop();
    await vi.waitFor(() => expect(socket.commands).toEqual([configured(), 'down']));
    await vi.waitFor(async () => {
      await clock.advance(20);
      expect(bird.control).toBeUndefined();
    });
    await stopped;
    expect(await starts()).toEqual([]);
  });
});
