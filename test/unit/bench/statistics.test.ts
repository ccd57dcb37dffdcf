import assert from 'node:assert/strict';
import { quantile } from '../../../bench/programs/report.js';
import { latencies } from '../../../bench/programs/shots.js';
import { median, ratios, summarize } from '../../../bench/statistics.js';

describe('bench: statistics', () => {
  it('takes the middle one, or between the two middle ones', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([10, 9, 100]), 10);
    assert.throws(() => median([]), RangeError);
  });

  it('shows how far the rounds lie apart', () => {
    assert.deepEqual(summarize([5, 1, 9]), { median: 5, min: 1, max: 9 });
  });

  it('compares round by round, so that a busy moment which met both does not count', () => {
    assert.deepEqual(ratios([2, 20, 2], [1, 10, 2]), { median: 2, min: 1, max: 2 });
  });

  it('finds a quantile by rank and leaves the samples in their order', () => {
    const samples = Float64Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
    const before = samples.slice();
    assert.equal(quantile(samples, 0.5), 50);
    assert.equal(quantile(samples, 0.99), 99);
    assert.equal(quantile(samples, 1), 100);
    assert.deepEqual(samples, before);
  });

  it('pairs each shot with the first arrival after it', () => {
    const sent = Float64Array.of(10, 20, 30);
    // One arrives before anything was sent, and one twice.
    assert.deepEqual(latencies(sent, Float64Array.of(5, 13, 16, 24, 31)), Float64Array.of(3, 4, 1));
    assert.throws(() => latencies(sent, Float64Array.of(13, 24)), { message: 'nothing arrived of shot 2' });
  });
});
