import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Outcome } from '../records.js';
import { variables } from './variables.js';

/** All that the sanitizers wrote into the directory of a run. */
export function reportsIn(directory: string): string {
  return readdirSync(directory)
    .filter(name => name.startsWith(`${variables.report}.`))
    .map(name => readFileSync(path.join(directory, name), 'utf8'))
    .join('\n');
}

/** Without it a run that loaded another addon would look clean. */
export function loadedOutcome(directory: string): Outcome {
  const title = 'the sanitized addon was the one that ran';
  if (existsSync(path.join(directory, variables.loaded))) return { title, state: 'passed' };
  return { title, state: 'failed', detail: 'it was never loaded' };
}

/** Passes when nothing was found. */
export function cleanOutcome(title: string, found: readonly string[]): Outcome {
  if (found.length === 0) return { title, state: 'passed' };
  return { title, state: 'failed', detail: found.join('\n') };
}
