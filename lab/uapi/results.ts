import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../paths.js';
import type { Evidence, Proof } from './evidence.js';

/** How one test, or one check, came out. */
export interface StoredOutcome {
  title: string;
  state: 'passed' | 'failed' | 'skipped';
  /** The reason of a skip; of a failure all that is known. */
  detail?: string;
  /** What it showed of the uAPI, if it passed. */
  evidence?: Evidence;
  /** How it failed the first time, when it passed the second (`test/support/runner/repeat.ts`). */
  failedFirst?: string;
}

/** One part of a test run, such as all tests on one machine. */
export interface StoredStage {
  name: string;
  outcomes: readonly StoredOutcome[];
  seconds: number;
}

/** Where test runs leave their results for each other: a file for each part, which its next run replaces. */
export function resultsDirectory(): string {
  const named = process.env['VFIO_TEST_RESULTS'];
  return named ? path.resolve(named) : path.join(packageRoot, 'build', 'test-results');
}

/** Keeps results. A place that cannot be written to, such as a read-only checkout, gets none. */
export function storeResults(stages: readonly StoredStage[], directory = resultsDirectory()): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    for (const stage of stages) {
      const file = `${stage.name.replace(/[^\w.-]+/g, '-')}.json`;
      writeFileSync(path.join(directory, file), `${JSON.stringify(stage, null, 1)}\n`);
    }
    return true;
  } catch (error) {
    if (!['EROFS', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
}

/** All results there are, in the order of their names. */
export function loadResults(directory = resultsDirectory()): StoredStage[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as StoredStage);
}

/** What the tests that passed showed. */
export function proofsOf(stages: readonly StoredStage[]): Proof[] {
  return stages
    .flatMap(stage => stage.outcomes)
    .flatMap(({ state, title, evidence }) =>
      state === 'passed' && evidence !== undefined ? [{ ...evidence, title }] : [],
    );
}
