import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newest, removeUnfinished, scratchDirectory } from './cache.js';
import { mustRun } from './command.js';
import { exclusively } from './exclusive.js';
import { buildKernel } from './kernel-build.js';
import { type KernelOption, parseFragment } from './kernel-options.js';
import { type BuiltKernelKind, fetchSource, kernelOrigins, unpackSource } from './kernel-source.js';
import type { Kernel } from './kernels.js';
import { cacheDirectory, kernelConfigs } from './paths.js';
import type { Progress } from './progress.js';

/** Counts up when the same source, options and compiler give something else. */
const buildFormat = 1;

/**
 * Gets a kernel that is built here: from the cache, or from source into the cache, which takes minutes. A cached one
 * is good as long as the options and the compiler are the same; a newer source is no reason to build again.
 */
export async function ensureBuiltKernel(kind: BuiltKernelKind, progress: Progress): Promise<Kernel> {
  const home = path.join(cacheDirectory(), 'kernels', kind);
  const fragments = await readFragments();
  const compiler = (await mustRun(['gcc', '--version'])).split('\n')[0] ?? '';
  const recipe = JSON.stringify([buildFormat, compiler, fragments]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const find = (): Promise<string | undefined> => newest(home, `-${key}`);
  const directory =
    (await find()) ??
    (await exclusively(
      progress,
      async () => (await find()) ?? build(kind, home, { key, compiler, options: fragments.flat() }, progress),
      `lock-${kind}`,
    ));
  const { release } = JSON.parse(await readFile(path.join(directory, 'kernel.json'), 'utf8')) as {
    release: string;
  };
  return {
    release,
    image: path.join(directory, 'vmlinux'),
    moduleDirectory: directory,
    // Everything is in the image.
    modules: new Map(),
  };
}

/** The options that make the lab's kernels, a list for each file of lab/kernel-config. */
export async function readFragments(): Promise<KernelOption[][]> {
  const names = (await readdir(kernelConfigs)).filter(name => name.endsWith('.config')).sort();
  return Promise.all(
    names.map(async name => parseFragment(await readFile(path.join(kernelConfigs, name), 'utf8'), name)),
  );
}

interface Recipe {
  key: string;
  compiler: string;
  options: readonly KernelOption[];
}

async function build(
  kind: BuiltKernelKind,
  home: string,
  { key, compiler, options }: Recipe,
  progress: Progress,
): Promise<string> {
  // A killed build has left gigabytes.
  await removeUnfinished(home);
  using scratch = await scratchDirectory(path.join(home, 'build'));
  const tree = path.join(scratch.path, 'tree');
  const result = path.join(scratch.path, 'result');
  for (const directory of [tree, result]) await mkdir(directory);

  const source = await fetchSource(kind, scratch.path, progress);
  const label = `Linux ${source.version}`;
  await progress(`unpacking the source of ${label}`, () => unpackSource(source, tree));
  const start = performance.now();
  const image = await buildKernel(
    { label, tree, options, steps: kernelOrigins[kind].steps },
    result,
    progress,
  );
  const seconds = Math.round((performance.now() - start) / 1000);
  const record = { ...image, source: source.version, compiler, seconds };
  await writeFile(path.join(result, 'kernel.json'), `${JSON.stringify(record, null, 2)}\n`);
  const directory = path.join(home, `${source.version}-${key}`);
  await rename(result, directory);
  return directory;
}
