import { rm } from 'node:fs/promises';
import path from 'node:path';
import { download, installMissing, lookUp, refresh } from './apt.js';
import { cached, newestOr } from './cache.js';
import { mustRun, runCommand } from './command.js';
import { LabError } from './error.js';
import { cacheDirectory } from './paths.js';
import type { Progress } from './progress.js';
import { debianCodename, openSuite } from './suite.js';

/**
 * Which QEMU a machine needs: the one of Debian 12 (7.2), or one with igb, SR-IOV and first-stage translation of
 * scalable mode (10.0), which is kept beside it.
 */
export type QemuKind = 'installed' | 'newer';

/** A QEMU to run. */
export interface Qemu {
  program: string;
  /** What it is always given: where its firmware is. */
  args: readonly string[];
}

/** From this version on an installed QEMU is as good as the newer one. */
const newEnough = 10;

/** What makes up a QEMU; its shared libraries and boot ROMs are those of the installed one. */
const packages = ['qemu-system-x86', 'qemu-system-data', 'seabios'];

/** Gets a QEMU: installs Debian's, or unpacks the newer one of the release's backports into the cache. */
export async function ensureQemu(kind: QemuKind, progress: Progress): Promise<Qemu> {
  await installMissing({ 'qemu-system-x86_64': 'qemu-system-x86' }, progress);
  const installed: Qemu = { program: 'qemu-system-x86_64', args: [] };
  if (kind === 'installed') return installed;
  const home = path.join(cacheDirectory(), 'qemu');
  const directory = await newestOr(home, progress, async () => {
    const version = await mustRun([installed.program, '--version']);
    const major = Number(/version (\d+)\./.exec(version)?.[1]);
    // An empty directory says that there is no need of another.
    return major >= newEnough
      ? cached(path.join(home, 'none'), progress, () => Promise.resolve())
      : fetchQemu(home, progress);
  });
  if (path.basename(directory) === 'none') return installed;
  const share = path.join(directory, 'usr', 'share');
  return {
    program: path.join(directory, 'usr', 'bin', 'qemu-system-x86_64'),
    args: ['-L', path.join(share, 'qemu'), '-L', path.join(share, 'seabios')],
  };
}

async function fetchQemu(home: string, progress: Progress): Promise<string> {
  const suite = await openSuite(`${await debianCodename()}-backports`);
  await refresh(progress, suite);
  const { version } = await lookUp('qemu-system-x86', progress, suite);
  return cached(path.join(home, version), progress, async temporary => {
    const file = path.join(temporary, 'package.deb');
    for (const name of packages) {
      await download(name, file, progress, suite);
      await mustRun(['dpkg-deb', '-x', file, temporary]);
    }
    await rm(file);
    const libraries = await mustRun(['ldd', path.join(temporary, 'usr', 'bin', 'qemu-system-x86_64')]);
    const missing = libraries.split('\n').filter(line => line.includes('not found'));
    if (missing.length > 0)
      throw new LabError(`QEMU ${version} lacks shared libraries:\n${missing.join('\n')}`);
  });
}

/** The properties of one of a QEMU's devices: they change their names from version to version. */
export async function deviceProperties({ program }: Qemu, device: string): Promise<ReadonlySet<string>> {
  const { stdout } = await runCommand([program, '-device', `${device},help`]);
  return new Set([...stdout.matchAll(/^ {2}([\w-]+)=/gm)].map(match => match[1] ?? ''));
}
