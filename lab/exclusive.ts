import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { atExit } from './cleanup.js';
import { cacheDirectory } from './paths.js';
import type { Progress } from './progress.js';

const held = new AsyncLocalStorage<ReadonlySet<string>>();

/**
 * Does work that changes the cache or the machine's packages, while no other run does any. Work within work is fine.
 * Work of minutes on a part of the cache that it has for itself goes under a name of its own, and keeps others waiting
 * only when they need the same.
 *
 * The lock is held by a flock(1) child that lives as long as our end of its standard input: the kernel gives it up
 * whatever way we die, so there are no stale locks to detect.
 */
export async function exclusively<T>(progress: Progress, work: () => Promise<T>, name = 'lock'): Promise<T> {
  const outer = held.getStore() ?? new Set<string>();
  if (outer.has(name)) return work();
  const file = path.join(cacheDirectory(), name);
  mkdirSync(path.dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C is for this process; the child ends with its input.
    detached: true,
  });
  const ended = once(holder, 'close');
  // While it waits for the lock it does not see its input end.
  const cleanup = atExit(holder);
  try {
    await progress('waiting for the set-up that another run does', () =>
      Promise.race([once(holder.stdout, 'data'), ended]),
    );
    return await held.run(new Set([...outer, name]), work);
  } finally {
    holder.stdin.end();
    await ended;
    cleanup[Symbol.dispose]();
  }
}
