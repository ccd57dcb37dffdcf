import assert from 'node:assert/strict';
import type { Benchmark } from '../../../bench/benchmark.js';
import { measure, parseReport } from '../../../bench/measure.js';
import type { Place } from '../../../bench/place.js';

const tools = { references: '/compiled' };

/** Runs nothing: each program reports what is next in its list. */
class FakePlace implements Place {
  readonly ran: string[] = [];

  constructor(private readonly reports: Record<string, string[]>) {}

  run(argv: readonly string[]): Promise<string> {
    const command = argv.join(' ');
    this.ran.push(command);
    return Promise.resolve(this.reports[command]?.shift() ?? '');
  }
}

const benchmark: Benchmark = {
  name: 'answer',
  about: 'an example',
  place: 'host',
  ours: { name: 'vfio', command: () => ['ours'] },
  references: [{ name: 'C', command: ({ references }) => [`${references}/c`] }],
  figures: [
    { name: 'fast', label: 'the fast one', goal: '≤ 2 ×' },
    { name: 'async', against: 'fast', label: 'the other one' },
    { name: 'nowhere', label: 'what this machine lacks' },
  ],
};

describe('bench: measuring', () => {
  it('runs the programs in turns and compares what they report', async () => {
    const place = new FakePlace({
      ours: ['fast 10 5\nasync 30.5 4\n', 'fast 12 5\nasync 20 4\n', 'fast 11 5\nasync 10 4\n'],
      '/compiled/c': ['fast 5 7\n', 'fast 4 7\n', 'fast 5 7\n'],
    });
    const rounds: number[] = [];
    const results = await measure(benchmark, place, tools, 3, round => rounds.push(round));
    assert.deepEqual(place.ran, ['ours', '/compiled/c', 'ours', '/compiled/c', 'ours', '/compiled/c']);
    assert.deepEqual(rounds, [0, 1, 2]);
    assert.deepEqual(results[0], {
      benchmark: 'answer',
      figure: 'fast',
      label: 'the fast one',
      goal: '≤ 2 ×',
      unit: 'ns',
      ours: { program: 'vfio', median: 11, min: 10, max: 12, rounds: [10, 12, 11], samplesPerRound: 5 },
      reference: { program: 'C', median: 5, min: 4, max: 5, rounds: [5, 4, 5], samplesPerRound: 7 },
      ratio: { median: 2.2, min: 2, max: 3 },
    });
    assert.deepEqual(results[1]?.ratio, { median: 5, min: 2, max: 6.1 });
    assert.equal(results.length, 2);
  });

  it('sets up once, by a shell', async () => {
    const place = new FakePlace({ ours: ['fast 1 1\nasync 1 1'], '/compiled/c': ['fast 1 1'] });
    await measure({ ...benchmark, setUp: 'echo ready' }, place, tools, 1);
    assert.deepEqual(place.ran, ['sh -c echo ready', 'ours', '/compiled/c']);
  });

  it('lets figures stand for themselves when there is nothing to compare them with', async () => {
    const place = new FakePlace({ ours: ['heap 0.5 10\n', 'heap 1.5 10\n', 'heap 1 10\n'] });
    const figures = [
      { name: 'heap', label: 'heap growth', unit: 'bytes' as const },
      { name: 'nowhere', label: 'what this machine lacks' },
    ];
    const results = await measure({ ...benchmark, references: [], figures }, place, tools, 3);
    assert.deepEqual(results, [
      {
        benchmark: 'answer',
        figure: 'heap',
        label: 'heap growth',
        unit: 'bytes',
        ours: { program: 'vfio', median: 1, min: 0.5, max: 1.5, rounds: [0.5, 1.5, 1], samplesPerRound: 10 },
      },
    ]);
  });

  it('does not take silence for a result', async () => {
    const silent = new FakePlace({ ours: ['fast 1 1\nasync 1 1'] });
    await assert.rejects(measure(benchmark, silent, tools, 1), {
      message: 'answer: only one of vfio and C reported fast',
    });
    const once = new FakePlace({ ours: ['fast 1 1\nasync 1 1'], '/compiled/c': ['fast 1 1', 'fast 1 1'] });
    await assert.rejects(measure(benchmark, once, tools, 2), {
      message: 'vfio did not report fast in every round',
    });
  });

  it('reads nothing but figures', () => {
    assert.deepEqual(
      parseReport('a 1.5 3\nb-2 7 1\n'),
      new Map([
        ['a', { ns: 1.5, samples: 3 }],
        ['b-2', { ns: 7, samples: 1 }],
      ]),
    );
    assert.throws(() => parseReport('a 1.5 3\noops\n'), {
      message: "a program reported 'oops', not a figure",
    });
    assert.throws(() => parseReport('a nan 3\n'));
  });
});
