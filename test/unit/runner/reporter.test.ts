import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Outcome, outcomes } from '../../support/records.js';

const root = path.join(__dirname, '..', '..', '..', '..');

describe('reporter', function () {
  let directory: string;
  let runs = 0;
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'vfio-reporter-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** A mocha process over one of test/support/fixtures. */
  const run = (fixture: string, ...args: string[]) => {
    const file = path.join(directory, `${runs++}.jsonl`);
    const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const options = [`output=${file}`, 'grace=200'].flatMap(option => ['--reporter-option', option]);
    const spec = path.join(__dirname, '..', '..', 'support', 'fixtures', `${fixture}.js`);
    const { status, signal, stdout } = spawnSync(process.execPath, [mocha, ...options, ...args, spec], {
      cwd: root,
      encoding: 'utf8',
    });
    const ending = status === 0 ? undefined : signal === null ? `exit code ${status}` : `killed by ${signal}`;
    return { ending, stdout, results: outcomes(readFileSync(file, 'utf8'), ending, false) };
  };
  const named = (results: readonly Outcome[], state: Outcome['state']): string[] =>
    results.filter(one => one.state === state).map(one => one.title);

  it('tells every outcome', () => {
    const { ending, stdout, results } = run('mixed');
    assert.deepEqual(named(results, 'passed'), ['mixed > passes', 'mixed > each skipped > this']);
    assert.deepEqual(
      results.filter(one => one.state === 'skipped').map(one => `${one.title}: ${one.detail}`),
      [
        'mixed > skips itself: no hardware',
        'mixed > all skipped > one: no kernel',
        'mixed > all skipped > deeper > two: no kernel',
        'mixed > each skipped > not this: not this one',
      ],
    );
    assert.deepEqual(named(results, 'failed'), [
      'mixed > fails',
      'mixed > compares',
      'mixed > throws what is no error',
      'mixed > skips without a reason',
      'mixed > has no body',
      'mixed > broken hook > "before all" hook for "is not run"',
    ]);
    const details = Object.fromEntries(results.map(one => [one.title, one.detail ?? '']));
    assert.match(
      details['mixed > fails'] ?? '',
      /^Error: the failure\n.*mixed\.[jt]s[^]*caused by: Error: the deeper reason/,
    );
    assert.match(
      details['mixed > compares'] ?? '',
      /Expected values to be strictly deep-equal[^]*2,?\n[^]*3/,
    );
    assert.match(details['mixed > throws what is no error'] ?? '', /a string/);
    assert.match(details['mixed > has no body'] ?? '', /skipped without a reason/);
    assert.match(String(ending), /^exit code/);
    assert.match(stdout, /^mixed\n {2}ok passes\n {2}1\) FAILED fails\n/);
    assert.match(stdout, / -- skips itself \(skipped: no hardware\)/);
    assert.match(stdout, /\n1\) mixed > fails\n {3}Error: the failure\n/);
    assert.match(stdout, /\n2 passed, 6 failed, 4 skipped\n$/);
  });

  it('makes a skip without a reason the exit code, too', () => {
    const { ending, results } = run('mixed', '--grep', 'has no body');
    assert.deepEqual([ending, named(results, 'failed')], ['exit code 1', ['mixed > has no body']]);
  });

  it('is silent about what is well', () => {
    const { ending, results, stdout } = run('passes');
    assert.deepEqual([ending, results.length], [undefined, 2]);
    assert.equal(stdout, 'passes\n  ok one\n  ok two\n\n2 passed, 0 failed, 0 skipped\n');
  });

  it('fails a process that something keeps alive', () => {
    const { ending, results } = run('leaks');
    assert.equal(ending, 'exit code 1');
    assert.match(results[1]?.detail ?? '', /^still alive 0.2 s after the last test, by: .*Timeout/);
  });

  it('shows where a process ended', () => {
    const exits = run('exits');
    assert.deepEqual(
      [exits.ending, named(exits.results, 'failed')],
      [undefined, ['exits > ends the process']],
    );
    const crashes = run('crashes');
    assert.deepEqual(
      [crashes.ending, crashes.results.at(-1)?.detail],
      ['killed by SIGSEGV', 'the test process ended early: killed by SIGSEGV'],
    );
  });
});
