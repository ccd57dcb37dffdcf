import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { download, lookUp } from './apt.js';
import { writeBootImage } from './boot-image.js';
import { ensureBuiltKernel } from './built-kernels.js';
import { cached, newestOr } from './cache.js';
import { mustRun } from './command.js';
import { LabError } from './error.js';
import { type BuiltKernelKind, isBuilt } from './kernel-source.js';
import { indexModules, type KernelModule, loadOrder, moduleDependencies, readModule } from './modules.js';
import { cacheDirectory } from './paths.js';
import type { KernelKind } from './profiles.js';
import type { Progress } from './progress.js';

/** A kernel ready to boot: its image and the modules that any profile may ask for. */
export interface Kernel {
  /** What `uname -r` says in the guest. */
  release: string;
  image: string;
  /** Holds NAME.ko for each of `modules`. */
  moduleDirectory: string;
  modules: ReadonlyMap<string, KernelModule>;
}

/** The package that always depends on the newest kernel of its kind. */
const metaPackages: Record<Exclude<KernelKind, BuiltKernelKind>, string> = {
  'debian-6.1': 'linux-image-amd64',
  'debian-6.12': 'linux-image-6.12-amd64',
};

/** Loaded in every guest before anything else: how it reaches the host. */
export const baseModules = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p'];

/** Counts up when what `unpack` makes changes. */
const cutFormat = 2;

/** What profiles may load on top; cut out of the package together, so that a new profile seldom needs another cut. */
const optionalModules = [
  'vfio',
  'vfio_virqfd',
  'vfio_iommu_type1',
  'vfio_pci',
  'mdev',
  'e1000e',
  'igb',
  'virtio_net',
  'nvme',
  'overlay',
];

/** Gets a kernel from the cache, or from the Debian archive into the cache: as it is shipped or built from source. */
export async function ensureKernel(kind: KernelKind, progress: Progress): Promise<Kernel> {
  if (isBuilt(kind)) return ensureBuiltKernel(kind, progress);
  const home = path.join(cacheDirectory(), 'kernels', kind);
  const packageDirectory = await newestOr(home, progress, () => fetchPackage(kind, home, progress));
  // The list of modules is part of the name: a longer one is cut out of the same package anew.
  const cut = createHash('sha256')
    .update(JSON.stringify([cutFormat, baseModules, optionalModules]))
    .digest('hex')
    .slice(0, 12);
  const directory = await cached(path.join(packageDirectory, `cut-${cut}`), progress, temporary =>
    progress(`unpacking ${kind}`, () =>
      unpack(path.join(packageDirectory, 'package.deb'), temporary, progress),
    ),
  );
  const { release, modules } = JSON.parse(await readFile(path.join(directory, 'kernel.json'), 'utf8')) as {
    release: string;
    modules: KernelModule[];
  };
  return {
    release,
    image: path.join(directory, 'vmlinux'),
    moduleDirectory: directory,
    modules: new Map(modules.map(module => [module.name, module])),
  };
}

async function fetchPackage(
  kind: Exclude<KernelKind, BuiltKernelKind>,
  home: string,
  progress: Progress,
): Promise<string> {
  const meta = await lookUp(metaPackages[kind], progress);
  const name = meta.depends.find(dependency => dependency.startsWith('linux-image-'));
  if (!name) throw new LabError(`${meta.name} ${meta.version} depends on no kernel image`);
  return cached(path.join(home, meta.version), progress, temporary =>
    download(name, path.join(temporary, 'package.deb'), progress),
  );
}

async function unpack(packageFile: string, target: string, progress: Progress): Promise<void> {
  const tree = path.join(target, 'tree');
  await mkdir(tree);
  await mustRun(['dpkg-deb', '-x', packageFile, tree]);
  const image = (await readdir(path.join(tree, 'boot'))).find(name => name.startsWith('vmlinuz-'));
  if (!image) throw new LabError(`${packageFile} holds no kernel image`);
  await writeBootImage(path.join(tree, 'boot', image), path.join(target, 'vmlinux'), progress);

  const index = await indexModules(path.join(tree, 'lib', 'modules'));
  const available = new Map<string, KernelModule>();
  const pending = [...baseModules, ...optionalModules];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const file = index.get(name);
    if (!file || available.has(name)) continue;
    const data = await readModule(file);
    const depends = moduleDependencies(data);
    available.set(name, { name, depends });
    pending.push(...depends);
    await writeFile(path.join(target, `${name}.ko`), data);
  }
  const modules = loadOrder([...available.keys()], available).map(name => available.get(name));
  await writeFile(
    path.join(target, 'kernel.json'),
    JSON.stringify({ release: image.slice('vmlinuz-'.length), modules }, null, 2),
  );
  await rm(tree, { recursive: true });
}
