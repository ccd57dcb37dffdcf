import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { installMissing, lookUp, refresh } from './apt.js';
import { cached, newestOr } from './cache.js';
import { mustRun, runCommand } from './command.js';
import { cacheDirectory } from './paths.js';
import type { Progress } from './progress.js';
import { openSuites } from './suite.js';

/**
 * Which QEMU a machine needs: the one of Debian 12 (7.2), or one that has igb with SR-IOV, Intel's first-stage tables
 * and DMA remapping by AMD's IOMMU, which is kept beside it.
 */
export type QemuKind = 'installed' | 'newer';

/** A QEMU to run. */
export interface Qemu {
  program: string;
  /** What comes first on its command line. */
  args: readonly string[];
}

/** From this version on an installed QEMU is as good as the newer one. */
const newEnough = 11;

/** The releases that the newer one and the libraries it needs come from; the last one is asked first. */
const suites = ['trixie', 'trixie-backports'] as const;

/** Gets a QEMU: installs Debian's, or unpacks the newer one into the cache. */
export async function ensureQemu(kind: QemuKind, progress: Progress): Promise<Qemu> {
  await installMissing({ 'qemu-system-x86_64': 'qemu-system-x86' }, progress);
  const installed: Qemu = { program: 'qemu-system-x86_64', args: [] };
  if (kind === 'installed') return installed;
  const home = path.join(cacheDirectory(), 'newer-qemu');
  const directory = await newestOr(home, progress, async () => {
    const version = await mustRun([installed.program, '--version']);
    const major = Number(/version (\d+)\./.exec(version)?.[1]);
    // An empty directory says that there is no need of another.
    return major >= newEnough
      ? cached(path.join(home, installedWillDo), progress, () => Promise.resolve())
      : fetchQemu(home, progress);
  });
  return path.basename(directory) === installedWillDo ? installed : unpackedQemu(directory);
}

const installedWillDo = 'installed';

/** Made for a later Debian, it runs on the C library of that one, which brings a loader of its own. */
function unpackedQemu(directory: string): Qemu {
  return {
    program: path.join(directory, loader),
    args: [
      ...['--library-path', path.join(directory, 'lib'), path.join(directory, 'qemu-system-x86_64')],
      ...firmware.flatMap(name => ['-L', path.join(directory, name)]),
    ],
  };
}

const loader = 'ld-linux-x86-64.so.2';
/** Directories with the BIOS and the ROMs of devices. */
const firmware = ['qemu', 'seabios'];

async function fetchQemu(home: string, progress: Progress): Promise<string> {
  const archive = await openSuites(suites);
  await refresh(progress, archive);
  // Without the epoch: the loader takes a colon in its path of libraries for the end of a directory.
  const version = (await lookUp('qemu-system-x86', progress, archive)).version.replace(/^\d+:/, '');
  return cached(path.join(home, version), progress, async temporary => {
    const packages = path.join(temporary, 'packages');
    const root = path.join(temporary, 'root');
    await progress(`downloading QEMU ${version} and its libraries`, async () => {
      await mkdir(path.join(packages, 'partial'), { recursive: true });
      const options = ['-o', `Dir::Cache::archives=${packages}`, '-o', 'Debug::NoLocking=true'];
      const wanted = [
        'install',
        '-y',
        '-qq',
        '--no-install-recommends',
        '--download-only',
        'qemu-system-x86',
      ];
      await mustRun(['apt-get', ...archive.options, ...options, ...wanted]);
    });
    await progress(`unpacking QEMU ${version}`, async () => {
      await mustRun([
        'sh',
        '-c',
        'for p in "$1"/*.deb; do dpkg-deb -x "$p" "$2"; done',
        'sh',
        packages,
        root,
      ]);
      await keepNeeded(path.join(root, 'usr'), temporary);
    });
    await rm(packages, { recursive: true });
    await rm(root, { recursive: true });
  });
}

/** Takes the program, the libraries it loads and its firmware out of what the packages hold: a third of it. */
async function keepNeeded(usr: string, target: string): Promise<void> {
  const libraries = path.join(usr, 'lib', 'x86_64-linux-gnu');
  const program = path.join(usr, 'bin', 'qemu-system-x86_64');
  const listed = await mustRun([
    path.join(libraries, loader),
    '--library-path',
    libraries,
    '--list',
    program,
  ]);
  await mkdir(path.join(target, 'lib'));
  for (const [, file = ''] of listed.matchAll(/ => (\S+) /g)) {
    await copyFile(file, path.join(target, 'lib', path.basename(file)));
  }
  await copyFile(path.join(libraries, loader), path.join(target, loader));
  await rename(program, path.join(target, path.basename(program)));
  for (const name of firmware) await rename(path.join(usr, 'share', name), path.join(target, name));
}

/** The properties of one of a QEMU's devices: they change their names from version to version. */
export async function deviceProperties(
  { program, args }: Qemu,
  device: string,
): Promise<ReadonlySet<string>> {
  const { stdout } = await runCommand([program, ...args, '-device', `${device},help`]);
  return new Set([...stdout.matchAll(/^ {2}([\w-]+)=/gm)].map(match => match[1] ?? ''));
}
