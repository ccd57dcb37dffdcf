import assert from 'node:assert/strict';
import { outcomes, type TestRecord } from '../../support/records.js';

describe('test records', () => {
  const lines = (...records: TestRecord[]): string =>
    records.map(record => `${JSON.stringify(record)}\n`).join('');
  const begin = (title: string): TestRecord => ({ event: 'begin', title: ['suite', title] });
  const end = (title: string, state: 'passed' | 'failed' | 'skipped', detail?: string): TestRecord => ({
    event: 'end',
    title: ['suite', title],
    state,
    ...(detail === undefined ? {} : { detail }),
  });
  const done: TestRecord = { event: 'done' };

  it('become outcomes', () => {
    const text = lines(
      begin('a'),
      end('a', 'passed'),
      begin('b'),
      end('b', 'failed', 'why'),
      end('c', 'skipped', 'no'),
      done,
    );
    assert.deepEqual(outcomes(text, 'exit code 1', false), [
      { title: 'suite > a', state: 'passed' },
      { title: 'suite > b', state: 'failed', detail: 'why' },
      { title: 'suite > c', state: 'skipped', detail: 'no' },
    ]);
  });

  it('show in which test a process died', () => {
    const text = lines(begin('a'), end('a', 'passed'), begin('b'));
    assert.deepEqual(outcomes(text, 'killed by SIGSEGV', false), [
      { title: 'suite > a', state: 'passed' },
      {
        title: 'suite > b',
        state: 'failed',
        detail: 'the test process ended early: killed by SIGSEGV',
        ofProcess: true,
      },
    ]);
    assert.equal(
      outcomes(lines(begin('a'), end('a', 'passed')), undefined, false)[1]?.title,
      'after suite > a',
    );
    assert.deepEqual(outcomes('', 'exit code 1', true), [
      {
        title: 'loading the tests',
        state: 'failed',
        detail: 'the test process ended early: exit code 1',
        ofProcess: true,
      },
    ]);
  });

  it('are read as far as they were written', () => {
    const text = `${lines(begin('a'), end('a', 'passed'), begin('b'))}{"event":"en`;
    assert.equal(outcomes(text, 'killed by SIGKILL', false)[1]?.title, 'suite > b');
  });

  it('tell a leak, an exit code without a failure, and no tests at all', () => {
    const detail = (text: string, ending?: string): string | undefined =>
      outcomes(text, ending, false).find(one => one.state === 'failed')?.detail;
    assert.equal(
      detail(
        lines(begin('a'), end('a', 'passed'), done, { event: 'stuck', detail: 'still alive' }),
        'exit code 1',
      ),
      'still alive',
    );
    assert.equal(
      detail(lines(begin('a'), end('a', 'passed'), done), 'exit code 3'),
      'exit code 3, although no test failed',
    );
    assert.equal(detail(lines(done)), 'there was no test to run');
    assert.deepEqual(outcomes(lines(done), undefined, true), []);
  });
});
