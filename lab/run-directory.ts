import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { temporaryRoot } from './paths.js';

const prefix = 'vfio-lab-run-';

/**
 * How long the files of a run that nobody cleans up are left alone. Long, since a process that is not seen here may
 * yet be alive in another container that shares the directory.
 */
const abandonedMs = 24 * 3600 * 1000;

/** Makes a directory for the files of one run, and removes those of runs that were killed without a chance to do it. */
export function makeRunDirectory(): string {
  const root = temporaryRoot();
  for (const name of readdirSync(root).filter(entry => entry.startsWith(prefix)))
    removeIfAbandoned(path.join(root, name));
  return mkdtempSync(path.join(root, `${prefix}${process.pid}-`));
}

function removeIfAbandoned(directory: string): void {
  try {
    const pid = path.basename(directory).slice(prefix.length).split('-')[0] ?? '';
    const idleMs = Date.now() - statSync(directory).mtimeMs;
    if (idleMs > abandonedMs && !existsSync(`/proc/${pid}`))
      rmSync(directory, { recursive: true, force: true });
  } catch {
    // Another run was faster, or it belongs to somebody else.
  }
}
