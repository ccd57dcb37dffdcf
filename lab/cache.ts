import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { atExit } from './cleanup.js';

/**
 * Makes a directory of the cache by way of `build`, unless it is there already. It appears complete or not at all:
 * the work is done next to it and renamed, so neither a second run nor a killed one can leave half of it.
 */
export async function cached(
  directory: string,
  build: (temporary: string) => Promise<void>,
): Promise<string> {
  if (existsSync(directory)) return directory;
  const temporary = `${directory}.tmp-${randomBytes(6).toString('hex')}`;
  await mkdir(temporary, { recursive: true });
  // Under its own name only until the work is done; after the renaming there is nothing left to clean up.
  const cleanup = atExit(temporary);
  try {
    await build(temporary);
    await rename(temporary, directory);
  } catch (error) {
    // Somebody else may have been faster; theirs is as good.
    if (!existsSync(directory)) throw error;
  } finally {
    cleanup[Symbol.dispose]();
  }
  return directory;
}
