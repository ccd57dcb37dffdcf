import type { Evidence } from '../../lab/uapi/evidence.js';
import type { StoredOutcome } from '../../lab/uapi/results.js';

/**
 * What a mocha process tells of its tests: one JSON object a line, each written before mocha goes on. So a process that
 * dies leaves behind what it had done until then, and in which test it was.
 */
export type TestRecord =
  | { event: 'begin'; title: readonly string[] }
  | { event: 'end'; title: readonly string[]; state: State; detail?: string; evidence?: Evidence }
  /** All tests have run. */
  | { event: 'done' }
  /** All tests have run, and something kept the process alive. */
  | { event: 'stuck'; detail: string };

export type State = 'passed' | 'failed' | 'skipped';

/** How one test, or one check, came out. */
export interface Outcome extends StoredOutcome {
  /** It was the process that failed, not the test alone: others may not have run. */
  ofProcess?: true;
}

/**
 * What became of the tests of a mocha process.
 *
 * @param text the records it wrote
 * @param ending how it ended: `undefined` when that was with exit code 0, else in words
 * @param mayBeEmpty whether it is right that no test ran
 */
export function outcomes(text: string, ending: string | undefined, mayBeEmpty: boolean): Outcome[] {
  const records = parse(text);
  const results = records.flatMap(record => (record.event === 'end' ? [outcome(record)] : []));
  const failed = results.some(({ state }) => state === 'failed');
  const stuck = records.find(record => record.event === 'stuck');
  const done = records.some(record => record.event === 'done');
  if (stuck !== undefined) results.push(failure('the test process', stuck.detail));
  else if (!done)
    results.push(failure(lastBegun(records), `the test process ended early: ${ending ?? 'exit code 0'}`));
  else if (ending !== undefined && !failed)
    results.push(failure('the test process', `${ending}, although no test failed`));
  else if (results.length === 0 && !mayBeEmpty)
    results.push(failure('the test process', 'there was no test to run'));
  return results;
}

function parse(text: string): TestRecord[] {
  // A process that was killed while it wrote leaves half a line.
  const lines = text.split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line) as TestRecord);
}

function outcome({ title, state, detail, evidence }: Extract<TestRecord, { event: 'end' }>): Outcome {
  return {
    title: title.join(' > '),
    state,
    ...(detail === undefined ? {} : { detail }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

function failure(title: string, detail: string): Outcome {
  return { title, state: 'failed', detail, ofProcess: true };
}

function lastBegun(records: readonly TestRecord[]): string {
  const last = records.at(-1);
  if (last?.event === 'begin') return last.title.join(' > ');
  return last?.event === 'end' ? `after ${last.title.join(' > ')}` : 'loading the tests';
}
