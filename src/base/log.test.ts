import { describe, expect, test } from 'vitest';
import { CalicoError } from './errors.js';
import { createLog, type LogOptions } from './log.js';

function setUp(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = createLog({ ...options, write: (line) => lines.push(line) });
  return { log, lines };
}

describe('createLog()', () => {
  test('writes lines for people', () => {
    const { log, lines } = setUp();
    log.part('node').info('ready', { peers: 2, name: 'calico 01' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[INFO\]\[\d+\] node: ready peers=2 name="calico 01"\n$/,
    );
  });

  test('writes objects for machines', () => {
    const { log, lines } = setUp({ format: 'json' });
    log.warn('slow', { ms: 12 });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', msg: 'slow', ms: 12 });
  });

  test('blanks secrets, also in addresses', () => {
    const { log, lines } = setUp();
    log.info('connecting to https://root:hunter2@192.0.2.1:2379', { password: 'hunter2', etcd: { key: 'hunter2' } });
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).toContain('https://192.0.2.1:2379');
  });

  test('says an error with its hint, and a bug with its stack', () => {
    const { log, lines } = setUp();
    log.error('cannot go on', { error: new CalicoError('ERR_CALI_X', 'BIRD is missing', { hint: 'install bird2' }) });
    expect(lines[0]).toMatch(/cannot go on: BIRD is missing\n {2}hint: install bird2\n$/);
    log.error('bug', { error: new TypeError('x is undefined') });
    expect(lines[1]).toMatch(/TypeError: x is undefined\n +at /);
  });

  test('one level for the whole', () => {
    const { log, lines } = setUp({ level: 'warn' });
    const part = log.part('bgp');
    part.info('unheard');
    part.setLevel('debug');
    log.debug('heard');
    part.debug('heard too');
    expect(lines).toHaveLength(2);
  });
});
