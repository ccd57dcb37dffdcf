import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cached } from '../lab/cache.js';
import { mustRun } from '../lab/command.js';
import { cacheDirectory, packageRoot } from '../lab/paths.js';
import type { Progress } from '../lab/progress.js';

/** What a C programmer would ship. */
const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-pthread'];

/** Where Node's own headers may be: beside it, as in its archives, or where distributions put them. */
const headers = [path.join(path.dirname(process.execPath), '..', 'include', 'node'), '/usr/include/node'];

/**
 * Compiles every program in bench/c and, where Node's headers are, every addon in bench/addon, into the cache and not into
 * the checkout, which may be read-only. What was compiled from the same sources by the same compiler is used again.
 *
 * @returns the directory of the executables
 */
export async function compileReferences(progress: Progress): Promise<string> {
  const directory = path.join(packageRoot, 'bench', 'c');
  const sources = readdirSync(directory).sort();
  const compiler = await mustRun(['gcc', '--version']);
  const hash = createHash('sha256').update(compiler).update(flags.join(' '));
  for (const source of sources) hash.update(`${source}\0`).update(readFileSync(path.join(directory, source)));
  const addons = path.join(packageRoot, 'bench', 'addon');
  const include = headers.find(one => existsSync(path.join(one, 'node_api.h')));
  hash.update(String(include));
  for (const source of readdirSync(addons).sort()) hash.update(readFileSync(path.join(addons, source)));
  const target = path.join(cacheDirectory(), `bench-${hash.digest('hex').slice(0, 16)}`);
  return cached(target, progress, async temporary => {
    for (const source of sources.filter(name => name.endsWith('.c'))) {
      const executable = path.join(temporary, path.basename(source, '.c'));
      await mustRun(['gcc', ...flags, '-o', executable, path.join(directory, source)]);
    }
    for (const source of include === undefined ? [] : readdirSync(addons)) {
      const addon = path.join(temporary, `${path.basename(source, '.c')}.node`);
      const shared = ['-shared', '-fPIC', '-I', String(include)];
      await mustRun(['gcc', ...flags, ...shared, '-o', addon, path.join(addons, source)]);
    }
  });
}
