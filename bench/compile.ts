import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cached } from '../lab/cache.js';
import { mustRun } from '../lab/command.js';
import { cacheDirectory, packageRoot } from '../lab/paths.js';
import type { Progress } from '../lab/progress.js';

/** What a C programmer would ship. */
const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-pthread'];

/**
 * Compiles every program in bench/c, into the cache and not into the checkout, which may be read-only. What was compiled
 * from the same sources by the same compiler is used again.
 *
 * @returns the directory of the executables
 */
export async function compileReferences(progress: Progress): Promise<string> {
  const directory = path.join(packageRoot, 'bench', 'c');
  const sources = readdirSync(directory).sort();
  const compiler = await mustRun(['gcc', '--version']);
  const hash = createHash('sha256').update(compiler).update(flags.join(' '));
  for (const source of sources) hash.update(`${source}\0`).update(readFileSync(path.join(directory, source)));
  const target = path.join(cacheDirectory(), `bench-${hash.digest('hex').slice(0, 16)}`);
  return cached(target, progress, async temporary => {
    for (const source of sources.filter(name => name.endsWith('.c'))) {
      const executable = path.join(temporary, path.basename(source, '.c'));
      await mustRun(['gcc', ...flags, '-o', executable, path.join(directory, source)]);
    }
  });
}
