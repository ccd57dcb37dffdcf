import assert from 'node:assert/strict';
import { pause, runAsync, runSync, step, type Steps } from '../../lib/steps.js';

/** Adds up what its steps answer; a step that fails counts as 100, and the end is noted. */
function* sum(log: string[], answers: readonly (number | Error)[]): Steps<number> {
  let total = 0;
  try {
    for (const answer of answers) {
      try {
        total += yield* step(async => {
          log.push(async ? 'async' : 'sync');
          if (!(answer instanceof Error)) return async ? Promise.resolve(answer) : answer;
          if (async) return Promise.reject(answer);
          throw answer;
        });
      } catch (error) {
        if ((error as Error).message === 'fatal') throw error;
        total += 100;
      }
    }
    return total;
  } finally {
    log.push('end');
  }
}

describe('steps', () => {
  it('runs on the spot', () => {
    const log: string[] = [];
    assert.equal(runSync(sum(log, [1, 2, 3])), 6);
    assert.deepEqual(log, ['sync', 'sync', 'sync', 'end']);
  });

  it('runs off the loop, the first step at once', async () => {
    const log: string[] = [];
    const result = runAsync(sum(log, [1, 2]));
    assert.deepEqual(log, ['async']);
    assert.equal(await result, 3);
    assert.deepEqual(log, ['async', 'async', 'end']);
  });

  it('throws what a step threw where the step stands', async () => {
    assert.equal(runSync(sum([], [1, new Error('small'), 3])), 104);
    assert.equal(await runAsync(sum([], [1, new Error('small'), 3])), 104);
  });

  it('ends by what nobody caught, with its finally blocks run', async () => {
    const fatal = new Error('fatal');
    const log: string[] = [];
    assert.throws(() => runSync(sum(log, [fatal, 1])), fatal);
    await assert.rejects(runAsync(sum(log, [fatal, 1])), fatal);
    assert.deepEqual(log, ['sync', 'end', 'async', 'end']);
  });

  it('lets time pass, off the loop or on the spot', async () => {
    const begin = performance.now();
    runSync(pause(20));
    const middle = performance.now();
    assert.ok(middle - begin >= 19, `${middle - begin} ms`);
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    await runAsync(pause(20));
    clearInterval(counting);
    assert.ok(performance.now() - middle >= 19);
    assert.ok(turns > 0);
  });

  it('takes bodies without steps', async () => {
    function* nothing(): Steps<string> {
      yield* [];
      return 'done';
    }
    assert.equal(runSync(nothing()), 'done');
    assert.equal(await runAsync(nothing()), 'done');
  });

  it('turns what a body throws before its first step into a rejection', async () => {
    function* bad(): Steps<void> {
      yield* [];
      throw new Error('at once');
    }
    assert.throws(() => runSync(bad()), /at once/);
    await assert.rejects(runAsync(bad()), /at once/);
  });
});
