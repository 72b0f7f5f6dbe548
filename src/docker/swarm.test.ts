import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { Conditions } from '../base/conditions.js';
import { silentLog } from '../base/log.js';
import { DockerEngine } from './engine.js';
import { EngineMemory } from './engine-memory.js';
import { FakeEngine } from './engine.fake.js';
import type { DockerSettings } from './settings.js';
import { DriverScope } from './swarm.js';

describe('DriverScope', () => {
  let fake: FakeEngine;
  let conditions: Conditions;
  let folder: string;

  beforeEach(async () => {
    fake = await FakeEngine.start();
    conditions = new Conditions(new FakeClock());
    folder = await mkdtemp(join(tmpdir(), 'calico-scope-'));
  });
  afterEach(async () => {
    await fake[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const scope = (wanted?: DockerSettings['scope'], file = join(folder, 'docker.json')): DriverScope =>
    new DriverScope({
      engine: new DockerEngine(fake.socketPath),
      wanted,
      memory: new EngineMemory(file, silentLog),
      conditions,
      log: silentLog,
    });
  const says = (value: object) => fake.answers.set('/info', { value });
  const falls = () => fake.answers.delete('/info');

  test('networks are shared by engines with a cluster store, and of one host elsewhere', async () => {
    says({ ClusterStore: 'etcd://192.0.2.1:2379', Swarm: { LocalNodeState: 'inactive' } });
    expect(await scope().tell()).toBe('global');
    says({ Swarm: { LocalNodeState: 'inactive' } });
    expect(await scope().tell()).toBe('local');
    says({ ClusterStore: '', Swarm: { LocalNodeState: 'active' } });
    expect(await scope().tell()).toBe('local');
    expect(await scope('global').tell()).toBe('global');
  });

  test('an engine that asks while it starts, and answers nobody, is taken for what it was, also by the next process', async () => {
    const driver = scope();
    expect(await driver.tell(), 'nothing known').toBe('global');
    says({});
    expect(await driver.tell()).toBe('local');
    falls();
    expect(await driver.tell()).toBe('local');
    expect(await scope().tell()).toBe('local');
    expect(await readFile(join(folder, 'docker.json'), 'utf8')).toBe('{"networks":{},"scope":"local"}\n');
  });

  test('a place where nothing can be kept takes nothing from the answer', async () => {
    says({});
    const driver = scope(undefined, join(folder, 'not', 'there'));
    expect(await driver.tell()).toBe('local');
    falls();
    expect(await driver.tell()).toBe('local');
  });

  test('a scope that somebody chose and a swarm refuses is a condition', async () => {
    says({ Swarm: { LocalNodeState: 'active' } });
    await scope().check();
    expect(conditions.shown()).toEqual([]);
    await scope('global').check();
    const [shown] = conditions.shown();
    expect(shown?.code).toBe('docker-swarm');
    expect(shown?.text).toContain('CALICO_LIBNETWORK_SCOPE=global');
    says({ Swarm: { LocalNodeState: 'inactive' } });
    await scope('global').check();
    expect(conditions.shown()).toEqual([]);
  });
});
