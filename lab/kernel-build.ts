import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { installMissing } from './apt.js';
import { mustRun } from './command.js';
import { LabError } from './error.js';
import { runGuarded } from './guarded.js';
import { type KernelOption, optionsFor, unmetOptions } from './kernel-options.js';
import type { Progress } from './progress.js';

/** What building a kernel takes beyond a C compiler: programs and headers, by package. */
const tools = {
  make: 'make',
  flex: 'flex',
  bison: 'bison',
  bc: 'bc',
  perl: 'perl',
  xz: 'xz-utils',
  '/usr/include/gelf.h': 'libelf-dev',
};

/** How often a build tells how far it is. */
const noteMs = 15_000;

/** A build to do. */
export interface KernelBuild {
  /** What to call it when telling of it. */
  label: string;
  /** The unpacked source, in which it is built. */
  tree: string;
  options: readonly KernelOption[];
  /** About how many files it compiles. */
  steps: number;
}

/** What came of it. */
export interface BuiltImage {
  /** What `uname -r` will say. */
  release: string;
  /** How many files were compiled. */
  steps: number;
}

/** Builds a kernel and writes `vmlinux` (which QEMU starts as it is) and `config` to a directory. */
export async function buildKernel(
  { label, tree, options, steps }: KernelBuild,
  target: string,
  progress: Progress,
): Promise<BuiltImage> {
  await installMissing(tools, progress);
  const config = await progress(`configuring ${label}`, () => configure(tree, options));
  const start = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - start) / 1000);
    progress.note?.(`${label}: ${done} of about ${steps} files compiled after ${seconds} s`);
  }, noteMs);
  try {
    const argv = ['make', `-j${availableParallelism()}`, 'vmlinux'];
    const onLine = (line: string): void => {
      if (/^ {2}(CC|AS) /.test(line)) done += 1;
    };
    await progress(`compiling ${label}`, () =>
      runGuarded(argv, { cwd: tree, env: makeEnvironment(), onLine }),
    );
  } finally {
    clearInterval(timer);
  }
  await mustRun([
    'objcopy',
    '-S',
    '-R',
    '.comment',
    path.join(tree, 'vmlinux'),
    path.join(target, 'vmlinux'),
  ]);
  await writeFile(path.join(target, 'config'), config);
  const release = await readFile(path.join(tree, 'include/config/kernel.release'), 'utf8');
  return { release: release.trim(), steps: done };
}

/** Smallest configuration there is, plus what was asked for. Returns the .config. */
async function configure(tree: string, options: readonly KernelOption[]): Promise<string> {
  const run = { cwd: tree, env: makeEnvironment() };
  const version = (await mustRun(['make', '-s', 'kernelversion'], run)).trim();
  const asked = optionsFor(options, version);
  await writeFile(path.join(tree, 'lab.config'), asked.map(line => `${line}\n`).join(''));
  await mustRun(['make', '-s', 'tinyconfig'], run);
  await mustRun(['scripts/kconfig/merge_config.sh', '-m', '.config', 'lab.config'], run);
  await mustRun(['make', '-s', 'olddefconfig'], run);
  const config = await readFile(path.join(tree, '.config'), 'utf8');
  const unmet = unmetOptions(asked, config);
  if (unmet.length > 0) {
    throw new LabError(
      `Linux ${version} does not do what lab/kernel-config asks for; either it has no such option or something that ` +
        `the option depends on is missing:\n${unmet.join('\n')}`,
    );
  }
  return config;
}

/** Nothing of the caller's settings gets into a kernel, nor when and where it was built. */
function makeEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    KBUILD_BUILD_TIMESTAMP: '@0',
    KBUILD_BUILD_USER: 'lab',
    KBUILD_BUILD_HOST: 'lab',
  };
}
