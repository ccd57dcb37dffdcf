import { readFileSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { download, lookUp, ownArchive, refresh } from '../apt.js';
import { cached, newest } from '../cache.js';
import { mustRun } from '../command.js';
import { exclusively } from '../exclusive.js';
import { kernelOrigins } from '../kernel-source.js';
import { cacheDirectory } from '../paths.js';
import type { Progress } from '../progress.js';
import { openSuites } from '../suite.js';
import { parseHeader } from './header.js';
import type { Header } from './table.js';

const names = ['vfio.h', 'iommufd.h'] as const;

/** The package with the headers of a kernel's interface, built from the same source as the kernel. */
const packageName = 'linux-libc-dev';

/**
 * The headers of the newest kernel of the lab, from the cache or from the Debian archive into the cache: a directory.
 * Those in the cache are good as long as they are of the version of the kernel there.
 */
export async function ensureHeaders(progress: Progress): Promise<string> {
  const home = path.join(cacheDirectory(), 'uapi');
  const kept = await newest(home);
  const kernel = await newest(path.join(cacheDirectory(), 'kernels', 'built-latest'));
  if (kept !== undefined && (kernel === undefined || shortVersion(kept) === shortVersion(kernel)))
    return kept;

  return exclusively(progress, () => fetchHeaders(home, progress));
}

async function fetchHeaders(home: string, progress: Progress): Promise<string> {
  const { suite } = kernelOrigins['built-latest'];
  const archive = suite === undefined ? ownArchive : await openSuites([suite]);
  await refresh(progress, archive);
  const { version } = await lookUp(packageName, progress, archive);
  return cached(path.join(home, version), progress, async target => {
    const file = path.join(target, 'package.deb');
    const tree = path.join(target, 'tree');
    await download(packageName, file, progress, archive);
    await mkdir(tree);
    await mustRun(['dpkg-deb', '-x', file, tree]);
    for (const name of names)
      await copyFile(path.join(tree, 'usr/include/linux', name), path.join(target, name));
    await writeFile(path.join(target, 'version'), version);
    await rm(tree, { recursive: true });
    await rm(file);
  });
}

/** Reads the headers in a directory. Of those that did not come from a package, nobody knows the version. */
export function readHeaders(directory: string): { version: string; headers: Header[] } {
  const headers = names.map(name => ({
    name: `linux/${name}`,
    entries: parseHeader(readFileSync(path.join(directory, name), 'utf8')),
  }));
  return { version: versionIn(directory), headers };
}

function versionIn(directory: string): string {
  try {
    return shortVersion(readFileSync(path.join(directory, 'version'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'unknown version';
    throw error;
  }
}

/** `7.2` of `7.2.12-1~bpo13+1`, or of a path that ends in that. */
function shortVersion(version: string): string {
  return /^\d+\.\d+/.exec(path.basename(version))?.[0] ?? version;
}
