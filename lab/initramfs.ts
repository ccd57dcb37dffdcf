import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cached } from './cache.js';
import { type CpioEntry, writeCpio } from './cpio.js';
import { ensureAgent, ensureBusybox } from './guest-programs.js';
import { baseModules, type Kernel } from './kernels.js';
import { loadOrder } from './modules.js';
import { cacheDirectory, guestSources } from './paths.js';
import type { Progress } from './progress.js';

/** The programs in the archive, as paths on the host. */
interface Programs {
  init: string;
  busybox: string;
  agent: string;
}

/** Packs what a guest needs until it can see the host's files. Returns the path of the archive. */
export async function ensureInitramfs(kernel: Kernel, progress: Progress): Promise<string> {
  const init = path.join(guestSources, 'init');
  const programs = { init, busybox: await ensureBusybox(progress), agent: await ensureAgent(progress) };
  // The paths of the other parts tell their versions.
  const parts = [kernel.moduleDirectory, programs.busybox, programs.agent, await readFile(init, 'utf8')];
  const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
  const home = path.join(cacheDirectory(), 'initramfs', `${kernel.release}-${hash}`);
  const directory = await cached(home, progress, temporary =>
    progress('packing the initramfs', async () => {
      const archive = writeCpio(await listEntries(kernel, programs));
      // Not compressed: unpacking it at each boot would cost more than reading it.
      await writeFile(path.join(temporary, 'initramfs.cpio'), archive);
    }),
  );
  return path.join(directory, 'initramfs.cpio');
}

async function listEntries(kernel: Kernel, { init, busybox, agent }: Programs): Promise<CpioEntry[]> {
  const file = (name: string, data: Uint8Array, mode: number): CpioEntry => {
    return { path: name, type: 'file', data, mode };
  };
  const directories = ['bin', 'dev', 'host', 'lab', 'modules', 'newroot', 'proc', 'sys'];
  const base = loadOrder(baseModules, kernel.modules);
  const entries = [
    ...directories.map((name): CpioEntry => ({ path: name, type: 'directory' })),
    file('init', await readFile(init), 0o755),
    file('bin/busybox', await readFile(busybox), 0o755),
    file('bin/agent', await readFile(agent), 0o755),
    file('modules/base', Buffer.from(base.map(name => `${name}\n`).join('')), 0o644),
  ];
  for (const { name } of kernel.modules.values()) {
    const data = await readFile(path.join(kernel.moduleDirectory, `${name}.ko`));
    entries.push(file(`modules/${name}.ko`, data, 0o644));
  }
  return entries;
}
