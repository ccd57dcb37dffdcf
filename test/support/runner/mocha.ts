import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { temporaryRoot } from '../../../lab/paths.js';
import { type Outcome, outcomes } from '../records.js';
import { runNode } from './child.js';
import type { Stage } from './stage.js';

/** Which tests to run. */
export interface Selection {
  /** Relative to the package. */
  globs: readonly string[];
  ignore?: readonly string[];
  grep: string | undefined;
}

/** The name of the file that the reporter writes. */
export const recordsFile = 'records.jsonl';

/** The arguments for Node that run those tests in one process; the reporter writes its records into `directory`. */
export function mochaArguments({ globs, ignore = [], grep }: Selection, directory: string): string[] {
  return [
    '--expose-gc',
    '--enable-source-maps',
    path.join('node_modules', 'mocha', 'bin', 'mocha.js'),
    '--reporter-option',
    `output=${path.join(directory, recordsFile)}`,
    ...(grep === undefined ? [] : ['--grep', grep]),
    ...ignore.flatMap(glob => ['--ignore', glob]),
    ...globs,
  ];
}

/** Runs a body with a directory for records, and reads them when it is over. `run` returns how the process ended. */
export async function collect(
  { grep }: Selection,
  run: (directory: string) => Promise<string | undefined>,
): Promise<Outcome[]> {
  const directory = mkdtempSync(path.join(temporaryRoot(), 'vfio-test-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    const ending = await run(directory);
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

/** Tests in a mocha process on this machine. */
export function hostStage(name: string, selection: Selection, timeoutMs: number): Stage {
  return {
    name,
    run: output =>
      collect(selection, directory => runNode(mochaArguments(selection, directory), { output, timeoutMs })),
  };
}
