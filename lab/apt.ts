import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { mustRun, runCommand } from './command.js';
import { LabError } from './error.js';
import { exclusively } from './exclusive.js';
import type { Progress } from './progress.js';

/** A package as the archive has it now. */
export interface PackageVersion {
  name: string;
  version: string;
  depends: string[];
}

/** Which package lists apt reads. */
export interface Archive {
  name: string;
  /** What makes apt read them. */
  options: readonly string[];
}

/** The machine's own, as its administrator set it up. */
export const ownArchive: Archive = { name: 'the Debian archive', options: [] };

const aptEnvironment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** Looks a package up, refreshing the package lists when they do not know it (a fresh machine has none). */
export async function lookUp(
  name: string,
  progress: Progress,
  archive = ownArchive,
): Promise<PackageVersion> {
  const show = (): Promise<PackageVersion | undefined> => showPackage(name, archive);
  const known = (await show()) ?? (await refresh(progress, archive).then(show));
  if (known) return known;
  throw new LabError(`${archive.name} has no package ${name}; is this Debian 12 with its security suite?`);
}

/** Downloads one package to `file`. Lists that are older than the archive name files that are gone: refresh, then retry. */
export async function download(
  name: string,
  file: string,
  progress: Progress,
  archive = ownArchive,
): Promise<void> {
  const directory = await mkdtemp(`${file}.`);
  try {
    await progress(`downloading ${name}`, async () => {
      const argv = ['apt-get', ...archive.options, 'download', '-qq', '-o', 'APT::Sandbox::User=root', name];
      const options = { cwd: directory, env: aptEnvironment };
      if ((await runCommand(argv, options)).code !== 0) {
        await refresh(progress, archive);
        await mustRun(argv, options);
      }
    });
    const [downloaded] = await readdir(directory);
    if (!downloaded) throw new LabError(`apt-get download ${name} left no file`);
    await rename(path.join(directory, downloaded), file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Installs the packages of those programs, or of those files with an absolute path, that are missing. */
export async function installMissing(
  programs: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<void> {
  const missing = (): string[] => {
    const entries = Object.entries(programs).filter(([program]) => !isOnPath(program));
    return entries.map(([, packageName]) => packageName);
  };
  if (missing().length > 0) await exclusively(progress, () => install(missing(), progress));
}

async function install(packages: readonly string[], progress: Progress): Promise<void> {
  if (packages.length === 0) return;
  for (const name of packages) await lookUp(name, progress);
  const options = ['-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  const argv = ['apt-get', 'install', ...options, ...packages];
  await progress(`installing ${packages.join(', ')}`, async () => {
    if ((await runCommand(argv, { env: aptEnvironment })).code === 0) return;
    await refresh(progress);
    await mustRun(argv, { env: aptEnvironment });
  });
}

function isOnPath(program: string): boolean {
  if (path.isAbsolute(program)) return existsSync(program);
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return directories.some(directory => directory !== '' && existsSync(path.join(directory, program)));
}

async function showPackage(name: string, { options }: Archive): Promise<PackageVersion | undefined> {
  const argv = ['apt-cache', ...options, 'show', '--no-all-versions', name];
  const { stdout } = await runCommand(argv, { env: aptEnvironment });
  const version = /^Version: (.+)$/m.exec(stdout)?.[1];
  if (!version) return undefined;
  const depends = /^Depends: (.+)$/m.exec(stdout)?.[1] ?? '';
  return { name, version, depends: depends.split(',').map(item => item.trim().split(' ')[0] ?? '') };
}

/** Gets the package lists anew. */
export function refresh(progress: Progress, { options } = ownArchive): Promise<string> {
  return progress('refreshing the package lists', () =>
    mustRun(['apt-get', ...options, 'update', '-qq'], { env: aptEnvironment }),
  );
}
