import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { baseModules } from './kernels.js';
import { loadOrder } from './modules.js';
import { buildMachine } from './qemu.js';
import type { VmOptions } from './vm.js';

/** The descriptor of the channel to the agent in QEMU's table: the first after its standard streams. */
export const agentFd = 3;
/** The next two are joined: QEMU's monitor, and the serial port by which the guest talks to it. */
export const monitorFd = 4;
export const monitorPortFd = 5;

/** Loaded in every guest, beside the drivers of its devices. vfio_virqfd is a part of vfio from 6.2 on. */
const vfioModules = ['vfio', 'vfio_virqfd', 'vfio_iommu_type1', 'vfio_pci'];

/** What the guest covers with file systems of its own (lab/guest/init). */
const covered = ['/tmp', '/run', '/var/tmp', '/dev/shm'];

/** Writes what a machine finds at its start (settings, disk images); returns QEMU's arguments. */
export function writeRunFiles(options: VmOptions, directory: string, console: string): string[] {
  const settings = path.join(directory, 'settings');
  mkdirSync(settings);
  const machine = buildMachine(
    options.profile,
    {
      kernel: options.kernel.image,
      initramfs: options.initramfs,
      console,
      settings,
      out: options.outDir,
      images: directory,
      agentFd,
      monitorFd,
      monitorPortFd,
      iommuProperties: options.iommuProperties,
      processorClockKhz: options.processorClockKhz,
    },
    options.accelerator,
  );
  for (const { file, sizeMiB } of machine.images) createSparse(file, sizeMiB);
  const available = options.kernel.modules;
  const loaded = loadOrder(baseModules, available);
  const modules = loadOrder([...vfioModules, ...machine.modules], available).filter(
    name => !loaded.includes(name),
  );
  const lists = { modules, wait: machine.awaited, keep: coveredPaths(options.keep) };
  for (const [name, list] of Object.entries(lists)) {
    writeFileSync(path.join(settings, name), list.map(line => `${line}\n`).join(''));
  }
  return [...options.qemu.args, ...machine.args];
}

/** Those of the directories that the guest would not see, outer ones first. */
export function coveredPaths(directories: readonly string[]): string[] {
  const hidden = directories.filter(directory => covered.some(top => directory.startsWith(`${top}/`)));
  return [...new Set(hidden)].sort();
}

function createSparse(file: string, sizeMiB: number): void {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, sizeMiB * 1024 * 1024);
  closeSync(fd);
}
