import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cached } from './cache.js';
import { mustRun } from './command.js';
import { cacheDirectory } from './paths.js';
import type { Progress } from './progress.js';

/**
 * Compiles a C program into the cache, unless it is there from the same files. Returns its path.
 *
 * @param name of the program, and of its place in the cache
 * @param files its sources and headers
 * @param title what is shown meanwhile
 */
export async function compiled(
  name: string,
  files: readonly string[],
  options: readonly string[],
  title: string,
  progress: Progress,
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(path.basename(file)).update(await readFile(file));
  const sources = files.filter(file => file.endsWith('.c'));
  const home = path.join(cacheDirectory(), name, hash.digest('hex').slice(0, 16));
  const directory = await cached(home, progress, temporary =>
    progress(title, async () => {
      const strict = ['-O2', '-Wall', '-Wextra', '-Werror'];
      await mustRun(['gcc', ...strict, ...options, '-o', path.join(temporary, name), ...sources]);
    }),
  );
  return path.join(directory, name);
}
