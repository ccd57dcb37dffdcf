import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { download, lookUp } from './apt.js';
import { cached, newestOr } from './cache.js';
import { mustRun } from './command.js';
import { compiled } from './compiled.js';
import { cacheDirectory, guestSources } from './paths.js';
import type { Progress } from './progress.js';

/** Debian's static busybox: the version fetched first is kept, since any will do. Returns the program's path. */
export async function ensureBusybox(progress: Progress): Promise<string> {
  const home = path.join(cacheDirectory(), 'busybox');
  const directory = await newestOr(home, progress, async () => {
    const { version } = await lookUp('busybox-static', progress);
    return cached(path.join(home, version), progress, async temporary => {
      const file = path.join(temporary, 'package.deb');
      await download('busybox-static', file, progress);
      await mustRun(['dpkg-deb', '-x', file, temporary]);
    });
  });
  return path.join(directory, 'bin', 'busybox');
}

/** Compiles the guest's agent; static, because the initramfs has no libraries. Returns the program's path. */
export async function ensureAgent(progress: Progress): Promise<string> {
  const files = (await readdir(guestSources)).filter(name => /\.[ch]$/.test(name)).sort();
  const paths = files.map(name => path.join(guestSources, name));
  return compiled('agent', paths, ['-static', '-s'], 'compiling the guest agent', progress);
}
