import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Archive, download, lookUp, ownArchive, refresh } from './apt.js';
import { mustRun } from './command.js';
import { LabError } from './error.js';
import type { Progress } from './progress.js';
import { openSuites } from './suite.js';

/** A kernel that is built here, from Debian's source. */
export type BuiltKernelKind = 'built-6.12' | 'built-latest';

interface Origin {
  /** The package with the source, or one that depends on it. */
  package: string;
  /** The suite it comes from, when that is not one of the machine's own. */
  suite?: string;
  /** About how many files a build compiles; it decides nothing but what the progress says. */
  steps: number;
}

/** Where each comes from. The newest kernel that is made for a released Debian is in the backports for that one. */
export const kernelOrigins: Readonly<Record<BuiltKernelKind, Origin>> = {
  'built-6.12': { package: 'linux-source-6.12', steps: 1450 },
  'built-latest': { package: 'linux-source', suite: 'trixie-backports', steps: 1500 },
};

/** Whether a kernel is one that is built here. */
export function isBuilt(kind: string): kind is BuiltKernelKind {
  return Object.hasOwn(kernelOrigins, kind);
}

/** A source package in a file. */
export interface KernelSource {
  /** Of the Debian package: `6.12.117-1~deb12u1`. */
  version: string;
  file: string;
}

/** Downloads the newest source of a kind into a directory. */
export async function fetchSource(
  kind: BuiltKernelKind,
  directory: string,
  progress: Progress,
): Promise<KernelSource> {
  const { package: wanted, suite } = kernelOrigins[kind];
  const archive: Archive = suite === undefined ? ownArchive : await openSuites([suite]);
  // The machine's own lists are its administrator's business; those of a suite of ours are only as new as we make them.
  if (suite !== undefined) await refresh(progress, archive);
  const found = await lookUp(wanted, progress, archive);
  const name = found.depends.find(dependency => dependency.startsWith('linux-source-')) ?? wanted;
  const file = path.join(directory, 'source.deb');
  await download(name, file, progress, archive);
  // Not what was looked up: the download may have refreshed the lists and found a later one.
  return { version: (await mustRun(['dpkg-deb', '-f', file, 'Version'])).trim(), file };
}

/** Unpacks a source package: the kernel's tree, in a directory that exists. */
export async function unpackSource({ file }: KernelSource, tree: string): Promise<void> {
  const packed = path.join(path.dirname(file), 'packed');
  await mustRun(['dpkg-deb', '-x', file, packed]);
  const home = path.join(packed, 'usr', 'src');
  const archive = (await readdir(home)).find(name => /^linux-source-.*\.tar\.xz$/.test(name));
  if (!archive) throw new LabError(`${file} holds no source of a kernel`);
  // A third of all bytes are register lists of AMD's graphics cards.
  const less = ['--exclude=*/drivers/gpu/drm/amd/include/asic_reg'];
  await mustRun(['tar', '-xJf', path.join(home, archive), '-C', tree, '--strip-components=1', ...less]);
}
