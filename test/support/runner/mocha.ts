import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { temporaryRoot } from '../../../lab/paths.js';
import { errorText } from '../error-text.js';
import { type Outcome, outcomes } from '../records.js';
import { runNode } from './child.js';
import { repeatFailed } from './repeat.js';
import type { Stage } from './stage.js';

/** Which tests to run. */
export interface Selection {
  /** Relative to the package. */
  globs: readonly string[];
  ignore?: readonly string[];
  grep: string | undefined;
  /** How long a single test may take; the default is in .mocharc.json. */
  testTimeoutMs?: number;
}

/** Something that tests run under, and that finds out more than they do. */
export interface Instrument {
  /** What it adds to the environment of the test process, which can write to that directory. */
  env(directory: string): NodeJS.ProcessEnv;
  /** What it has found in that directory when the process has ended; `output` is for what else there is to tell. */
  findings(directory: string, output: Writable): Outcome[];
}

/** The name of the file that the reporter writes. */
export const recordsFile = 'records.jsonl';

/** The arguments for Node that run those tests in one process; the reporter writes its records into `directory`. */
export function mochaArguments(
  selection: Selection,
  directory: string,
  nodeArguments: readonly string[] = ['--enable-source-maps'],
): string[] {
  const { globs, ignore = [], grep, testTimeoutMs } = selection;
  return [
    '--expose-gc',
    ...nodeArguments,
    path.join('node_modules', 'mocha', 'bin', 'mocha.js'),
    '--reporter-option',
    `output=${path.join(directory, recordsFile)}`,
    ...(grep === undefined ? [] : ['--grep', grep]),
    ...(testTimeoutMs === undefined ? [] : ['--timeout', String(testTimeoutMs)]),
    ...ignore.flatMap(glob => ['--ignore', glob]),
    ...globs,
  ];
}

/**
 * Runs tests, once more those of suites that failed (`repeat.ts`), and adds what an instrument found.
 *
 * @param run runs a selection in a process that writes its records into `directory`, and returns how that ended: `undefined`
 *   when well
 */
export async function runTests(
  selection: Selection,
  output: Writable,
  run: (tests: Selection, directory: string) => Promise<string | undefined>,
  instrument?: Instrument,
): Promise<Outcome[]> {
  const found: Outcome[] = [];
  const once = (tests: Selection): Promise<Outcome[]> =>
    collect(tests, async directory => {
      const ending = await run(tests, directory);
      found.push(...(instrument?.findings(directory, output) ?? []));
      return ending;
    });
  const say = (text: string): void => void output.write(text);
  return [...(await repeatFailed(await once(selection), selection, once, say)), ...found];
}

/** Runs a body with a directory for records, and reads them when it is over. `run` returns how the process ended. */
async function collect(
  { grep }: Selection,
  run: (directory: string) => Promise<string | undefined>,
): Promise<Outcome[]> {
  const directory = mkdtempSync(path.join(temporaryRoot(), 'vfio-test-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    // What the tests did until then counts also when the machine failed that they ran in.
    const ending = await run(directory).catch((error: unknown) => errorText(error));
    return outcomes(recordsIn(directory), ending, grep !== undefined);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

function recordsIn(directory: string): string {
  try {
    return readFileSync(path.join(directory, recordsFile), 'utf8');
  } catch {
    return '';
  }
}

/** The tests of the lab itself. They boot a machine each, some of which are to die. */
export function labHostStage(grep?: string): Stage {
  return hostStage('lab-host', { globs: ['dist/test/lab-host/**/*.test.js'], grep }, 5 * 60_000);
}

/** Tests in a mocha process on this machine. */
export function hostStage(
  name: string,
  selection: Selection,
  timeoutMs: number,
  instrument?: Instrument,
): Stage {
  return {
    name,
    run: output => {
      const run = (tests: Selection, directory: string): Promise<string | undefined> => {
        const env = { ...process.env, ...instrument?.env(directory) };
        return runNode(mochaArguments(tests, directory), { output, timeoutMs, env });
      };
      return runTests(selection, output, run, instrument);
    },
  };
}
