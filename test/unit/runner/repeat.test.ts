import assert from 'node:assert/strict';
import type { Outcome } from '../../support/records.js';
import type { Selection } from '../../support/runner/mocha.js';
import { overview } from '../../support/runner/overview.js';
import { repeatFailed } from '../../support/runner/repeat.js';
import { summary } from '../../support/runner/summary.js';

const passed = (title: string): Outcome => ({ title, state: 'passed' });
const failed = (title: string, detail = 'late'): Outcome => ({ title, state: 'failed', detail });

/** Repeats what failed in `first`; the second run comes out as `second`. */
async function repeated(
  first: Outcome[],
  second: Outcome[],
  grep?: string,
): Promise<{ outcomes: Outcome[]; asked: Selection[]; said: string }> {
  const asked: Selection[] = [];
  let said = '';
  const run = (selection: Selection): Promise<Outcome[]> => {
    asked.push(selection);
    return Promise.resolve(second);
  };
  const selection = { globs: ['some/*.test.js'], ignore: ['other'], grep };
  const outcomes = await repeatFailed(first, selection, run, text => (said += text));
  return { outcomes, asked, said };
}

/** That nothing is repeated. */
async function leaves(first: Outcome[], grep?: string): Promise<void> {
  const { outcomes, asked, said } = await repeated(first, [], grep);
  assert.deepEqual(outcomes, first);
  assert.deepEqual(asked, []);
  assert.equal(said, '');
}

describe('repeating tests that failed', () => {
  it('does nothing where none did', () => leaves([passed('a > x'), { title: 'b', state: 'skipped' }]));

  it('repeats the whole suite, and keeps how a test failed that passes then', async () => {
    const first = [passed('a (1+1) > x'), failed('a (1+1) > y'), passed('b > z')];
    const { outcomes, asked, said } = await repeated(first, [passed('a (1+1) > x'), passed('a (1+1) > y')]);
    assert.deepEqual(outcomes, [
      passed('b > z'),
      passed('a (1+1) > x'),
      { ...passed('a (1+1) > y'), failedFirst: 'a (1+1) > y: late' },
    ]);
    assert.match(said, /Failed, and now repeated on their own: a \(1\+1\)/);
    assert.deepEqual(asked, [{ globs: ['some/*.test.js'], ignore: ['other'], grep: '^(a \\(1\\+1\\)) ' }]);
    const grep = new RegExp(asked[0]?.grep ?? '');
    assert.ok(grep.test('a (1+1) y') && !grep.test('a (1+1)b y') && !grep.test('b a (1+1) y'));
  });

  it('takes the failure of a hook as that of its suite', async () => {
    const hook = failed('a > "before all" hook', 'no device');
    const { outcomes } = await repeated([hook], [passed('a > x'), passed('a > y')]);
    const failedFirst = 'a > "before all" hook: no device';
    assert.deepEqual(outcomes, [{ ...passed('a > x'), failedFirst }, passed('a > y')]);
  });

  it('lets fail what fails again, beside a suite that passes', async () => {
    const first = [failed('a > x'), failed('b > x'), passed('b > y')];
    const { outcomes } = await repeated(first, [passed('a > x'), passed('b > x'), failed('b > y')]);
    const outcome = { ...passed('a > x'), failedFirst: 'a > x: late' };
    assert.deepEqual(outcomes, [failed('b > x'), passed('b > y'), outcome]);
  });

  it('lets fail what did not run again', async () => {
    assert.deepEqual((await repeated([failed('a > x')], [])).outcomes, [failed('a > x')]);
    const died: Outcome = { ...failed('a > x', 'killed by SIGSEGV'), ofProcess: true };
    assert.deepEqual((await repeated([failed('a > x')], [died])).outcomes, [failed('a > x')]);
  });

  it('repeats nothing when the process died, when much failed, or when tests were picked out', async () => {
    await leaves([failed('a > x'), { ...failed('b > y', 'killed by SIGSEGV'), ofProcess: true }]);
    await leaves(['a', 'b', 'c', 'd'].map(suite => failed(`${suite} > x`)));
    await leaves([failed('a > x')], 'x');
  });

  it('is shown at the end of every run', () => {
    const outcomes = [passed('a > x'), { ...passed('a > y'), failedFirst: 'a > y: late' }];
    const expected =
      /\nPassed only when repeated:\n {2}1\) lab: a > y: a > y: late\n[^]*2 passed, 0 failed, 0 skipped\n$/;
    for (const end of [summary, overview]) {
      assert.match(end([{ name: 'lab', outcomes, seconds: 1 }], 1), expected);
      assert.doesNotMatch(end([{ name: 'lab', outcomes: [passed('a > x')], seconds: 1 }], 1), /repeated/);
    }
  });
});
