import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { mustRun } from './command.js';
import { LabError } from './error.js';

/** A kernel module cut out of a distribution's kernel package. */
export interface KernelModule {
  /** Its name with underscores, as /proc/modules shows it. */
  name: string;
  /** The modules that must be loaded before it. */
  depends: string[];
}

/** Module names are written with either; the kernel compares them with underscores. */
export function moduleName(text: string): string {
  return path
    .basename(text)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

/** Finds every module file below a directory: name → path. */
export async function indexModules(directory: string): Promise<Map<string, string>> {
  const index = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (/\.ko(\.xz)?$/.test(entry.name))
      index.set(moduleName(entry.name), path.join(entry.parentPath, entry.name));
  }
  return index;
}

/** Reads a module as the kernel loads it; newer Debian kernels ship them compressed. */
export async function readModule(file: string): Promise<Buffer> {
  if (!file.endsWith('.xz')) return readFile(file);
  const plain = file.slice(0, -'.xz'.length);
  await mustRun(['xz', '-d', '-k', '-f', file]);
  return readFile(plain);
}

/**
 * What a module says that it needs, from the `depends=` string of its .modinfo section. The package carries no
 * modules.dep (depmod writes that at installation), and this needs no depmod.
 */
export function moduleDependencies(data: Buffer): string[] {
  const key = Buffer.from('\0depends=');
  const start = data.indexOf(key);
  if (start < 0) return [];
  const text = data.subarray(start + key.length, data.indexOf(0, start + key.length)).toString('latin1');
  return text === '' ? [] : text.split(',').map(moduleName);
}

/** The modules to load for `wanted`, each after everything that it needs. Unknown names are built into the kernel. */
export function loadOrder(wanted: readonly string[], available: ReadonlyMap<string, KernelModule>): string[] {
  const order: string[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name))
      throw new LabError(`kernel modules depend on each other: ${[...trail, name].join(' → ')}`);
    const module = available.get(name);
    if (!module || order.includes(name)) return;
    for (const needed of module.depends) visit(needed, [...trail, name]);
    order.push(name);
  };
  for (const name of wanted) visit(moduleName(name), []);
  return order;
}
