import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
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
  using _cleanup = atExit(temporary);
  await build(temporary);
  try {
    await rename(temporary, directory);
  } catch (error) {
    // Somebody else was faster; theirs is as good.
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
  return directory;
}
