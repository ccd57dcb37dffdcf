import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { download, lookUp } from './apt.js';
import { cached } from './cache.js';
import { mustRun } from './command.js';
import { type CpioEntry, writeCpio } from './cpio.js';
import { baseModules, type Kernel } from './kernels.js';
import { loadOrder } from './modules.js';
import { cacheDirectory, guestSources } from './paths.js';
import type { Progress } from './progress.js';

/** Packs what a guest needs until it can see the host's files. Returns the path of the archive. */
export async function ensureInitramfs(kernel: Kernel, progress: Progress): Promise<string> {
  const busybox = await ensureBusybox(progress);
  const agent = await ensureAgent(progress);
  const init = path.join(guestSources, 'init');
  const hash = createHash('sha256')
    .update(`${kernel.moduleDirectory}\0${busybox}\0${agent}\0`)
    .update(await readFile(init));
  const name = `${kernel.release}-${hash.digest('hex').slice(0, 16)}`;
  const directory = await cached(path.join(cacheDirectory(), 'initramfs', name), temporary =>
    progress('packing the initramfs', async () => {
      const archive = writeCpio(await listEntries(kernel, { busybox, agent, init }));
      // Not compressed: unpacking it at each boot would cost more than reading it.
      await writeFile(path.join(temporary, 'initramfs.cpio'), archive);
    }),
  );
  return path.join(directory, 'initramfs.cpio');
}

async function listEntries(
  kernel: Kernel,
  programs: { busybox: string; agent: string; init: string },
): Promise<CpioEntry[]> {
  const base = loadOrder(baseModules, kernel.modules);
  const entries: CpioEntry[] = ['bin', 'dev', 'modules', 'newroot', 'host', 'lab', 'proc', 'sys'].map(
    name => ({
      path: name,
      type: 'directory',
    }),
  );
  entries.push({ path: 'init', type: 'file', data: await readFile(programs.init), mode: 0o755 });
  entries.push({ path: 'bin/busybox', type: 'file', data: await readFile(programs.busybox), mode: 0o755 });
  entries.push({ path: 'bin/agent', type: 'file', data: await readFile(programs.agent), mode: 0o755 });
  entries.push({
    path: 'modules/base',
    type: 'file',
    data: Buffer.from(base.map(name => `${name}\n`).join('')),
    mode: 0o644,
  });
  for (const { name } of kernel.modules.values()) {
    const data = await readFile(path.join(kernel.moduleDirectory, `${name}.ko`));
    entries.push({ path: `modules/${name}.ko`, type: 'file', data, mode: 0o644 });
  }
  return entries;
}

/** Debian's static busybox: the version fetched first is kept, since any will do. */
async function ensureBusybox(progress: Progress): Promise<string> {
  const home = path.join(cacheDirectory(), 'busybox');
  const names = await readdir(home).catch(() => []);
  const have = names.find(name => !name.includes('.tmp-'));
  if (have) return path.join(home, have, 'bin', 'busybox');
  const { version } = await lookUp('busybox-static', progress);
  const directory = await cached(path.join(home, version), async temporary => {
    const file = path.join(temporary, 'package.deb');
    await download('busybox-static', file, progress);
    await mustRun(['dpkg-deb', '-x', file, temporary]);
  });
  return path.join(directory, 'bin', 'busybox');
}

/** Compiles the guest's agent; static, because the initramfs has no libraries. */
async function ensureAgent(progress: Progress): Promise<string> {
  const source = path.join(guestSources, 'agent.c');
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 16);
  const directory = await cached(path.join(cacheDirectory(), 'agent', hash), temporary =>
    progress('compiling the guest agent', async () => {
      await mustRun([
        'gcc',
        '-static',
        '-O2',
        '-s',
        '-Wall',
        '-Wextra',
        '-o',
        path.join(temporary, 'agent'),
        source,
      ]);
    }),
  );
  return path.join(directory, 'agent');
}
