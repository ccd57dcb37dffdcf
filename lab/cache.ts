import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { atExit } from './cleanup.js';
import { exclusively } from './exclusive.js';
import type { Progress } from './progress.js';

const unfinished = '.tmp-';

/**
 * Makes a directory of the cache by way of `build`, unless it is there already. It appears complete or not at all:
 * the work is done next to it and renamed, so neither a second run nor a killed one can leave half of it.
 */
export async function cached(
  directory: string,
  progress: Progress,
  build: (temporary: string) => Promise<void>,
): Promise<string> {
  if (existsSync(directory)) return directory;
  return exclusively(progress, async () => {
    if (existsSync(directory)) return directory;
    // Once renamed there is nothing left to clean up under the scratch directory's name.
    using scratch = await scratchDirectory(directory);
    await build(scratch.path);
    await rename(scratch.path, directory);
    return directory;
  });
}

/** A directory beside what it will become a part of, removed in the end and however this process ends. */
export async function scratchDirectory(beside: string): Promise<Disposable & { path: string }> {
  const directory = `${beside}${unfinished}${randomBytes(6).toString('hex')}`;
  await mkdir(directory, { recursive: true });
  return { path: directory, ...atExit(directory) };
}

/** Removes what runs that were killed outright have left; for who holds the lock under which they worked. */
export async function removeUnfinished(home: string): Promise<void> {
  const names = (await readdir(home).catch(() => [])).filter(name => name.includes(unfinished));
  for (const name of names) await rm(path.join(home, name), { recursive: true, force: true });
}

/** The complete directory that was added last, if there is any; of those with a particular end of their name. */
export async function newest(home: string, ending = ''): Promise<string | undefined> {
  const names = (await readdir(home).catch(() => [])).filter(
    name => !name.includes(unfinished) && name.endsWith(ending),
  );
  const dated = await Promise.all(
    names.map(async name => ({ name, time: (await stat(path.join(home, name))).mtimeMs })),
  );
  const last = dated.sort((a, b) => a.time - b.time).at(-1);
  return last && path.join(home, last.name);
}

/**
 * A directory that is fetched once and then kept: what the archive has by now does not matter, so that a warm start
 * needs no archive. `add` finds out the version and makes the directory.
 */
export async function newestOr(
  home: string,
  progress: Progress,
  add: () => Promise<string>,
): Promise<string> {
  return (await newest(home)) ?? exclusively(progress, async () => (await newest(home)) ?? add());
}
