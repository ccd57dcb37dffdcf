import assert from 'node:assert/strict';
import type { Measured, Result } from '../../../bench/measure.js';
import { formatTable, formatTime } from '../../../bench/table.js';

function measured(program: string, ...rounds: number[]): Measured {
  const sorted = rounds.toSorted((a, b) => a - b);
  return {
    program,
    median: sorted[sorted.length >>> 1] ?? 0,
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    rounds,
    samplesPerRound: 1000,
  };
}

describe('bench: table', () => {
  it('shows a time in the unit that suits it', () => {
    const times = [0.42, 42.123, 420.4, 9999, 10_000, 123_456, 25_600_000, 98_000_000_000];
    assert.deepEqual(times.map(formatTime), [
      '0.4 ns',
      '42.1 ns',
      '420 ns',
      '9999 ns',
      '10.0 µs',
      '123 µs',
      '25.6 ms',
      '98.0 s',
    ]);
  });

  it('shows bytes and times as such, and no ratio where there is nothing to compare with', () => {
    const result: Result = {
      benchmark: 'allocations',
      figure: 'heap',
      label: 'heap growth',
      goal: '0',
      unit: 'bytes',
      ours: measured('vfio', 0.25, 0, 1234),
    };
    const lines = formatTable([
      result,
      { ...result, unit: 'times', ours: measured('vfio', 3) },
      { ...result, unit: 'instructions', ours: measured('vfio', 207.04) },
    ]).split('\n');
    assert.match(lines[1] ?? '', /^heap growth +0\.25 B {2}\(0\.00 B - 1234 B\) +0 +1000$/);
    assert.match(lines[2] ?? '', /^heap growth +3 {2}\(3 - 3\) +0 +1000$/);
    assert.match(lines[3] ?? '', /^heap growth +207\.0 instr {2}\(207\.0 instr - 207\.0 instr\) +0 +1000$/);
  });

  it('has a line for each figure, numbers below one another', () => {
    const result: Result = {
      benchmark: 'open',
      figure: 'all',
      label: 'openSync + close',
      goal: '≤ 1.25 ×',
      unit: 'ns',
      ours: measured('vfio', 55e6, 50e6, 60e6),
      reference: measured('C', 50e6, 49e6, 51e6),
      ratio: { median: 1.1, min: 1.02, max: 1.18 },
    };
    const short: Result = { ...result, label: 'close', ours: measured('vfio', 900) };
    const lines = formatTable([result, short]).split('\n');
    assert.equal(lines.length, 4);
    assert.match(
      lines[1] ?? '',
      /^openSync \+ close +55\.0 ms {2}\(50\.0 ms - 60\.0 ms\) +C 50\.0 ms .* 1\.10 \(1\.02-1\.18\) {2}≤ 1\.25 × +1000$/,
    );
    assert.equal(lines[1]?.indexOf(' ms'), lines[2]?.indexOf(' ns') ?? 0);
  });
});
