import { describe, expect, test } from 'vitest';
import { Metrics } from './metrics.js';

describe('Metrics', () => {
  test('renders what was counted, observed and asked for', async () => {
    const metrics = new Metrics();
    metrics.counter('calico_tests', 'tests').inc();
    metrics.summary('calico_seconds', 'seconds').observe(0.5);
    metrics.gauge('calico_now', 'now', () => 7);
    let shown = new Map([['bgp-down', 1]]);
    metrics.gauges('calico_conditions', 'conditions', { label: 'code', read: () => shown });
    const text = await metrics.render();
    expect(text).toContain('calico_tests 1\n');
    expect(text).toContain('calico_seconds_count 1\n');
    expect(text).toContain('calico_now 7\n');
    expect(text).toContain('calico_conditions{code="bgp-down"} 1\n');
    shown = new Map();
    expect(await metrics.render()).not.toContain('bgp-down');
  });
});
