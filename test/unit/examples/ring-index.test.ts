import assert from 'node:assert/strict';
import { checkRingSize, distance, next } from '../../../examples/e1000e/ring-index.js';

describe('examples/e1000e: ring arithmetic', () => {
  it('goes around', () => {
    let index = 0;
    const seen: number[] = [];
    for (let i = 0; i < 24; i++) seen.push((index = next(index, 8)));
    assert.deepEqual(seen.slice(0, 8), [1, 2, 3, 4, 5, 6, 7, 0]);
    assert.deepEqual(seen.slice(8, 16), seen.slice(0, 8));
  });

  it('measures distances forward', () => {
    assert.equal(distance(3, 3, 8), 0);
    assert.equal(distance(3, 7, 8), 4);
    assert.equal(distance(7, 3, 8), 4);
    assert.equal(distance(0, 7, 8), 7);
    assert.equal(distance(7, 0, 8), 1);
  });

  it('agrees with itself for every pair', () => {
    for (let from = 0; from < 24; from++) {
      for (let steps = 0; steps < 24; steps++) {
        let to = from;
        for (let i = 0; i < steps; i++) to = next(to, 24);
        assert.equal(distance(from, to, 24), steps);
      }
    }
  });

  it('accepts the sizes that the length registers can express', () => {
    for (const size of [8, 16, 256, 65536]) checkRingSize(size);
    for (const size of [0, 4, 7, 9, 12, -8, 65544, 1.5, NaN, Infinity]) {
      assert.throws(() => checkRingSize(size), { name: 'RangeError', message: new RegExp(`not ${size}`) });
    }
  });
});
