import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/** What must not outlive this process: child processes to kill and directories to remove. */
const leftovers = new Set<ChildProcess | string>();

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Registers a child or a directory to be cleaned up however this process ends, short of SIGKILL. Disposing of the
 * returned handle cleans up at once. A child must lead a process group of its own (`detached`).
 */
export function atExit(leftover: ChildProcess | string): Disposable {
  if (leftovers.size === 0) {
    process.on('exit', cleanUpAll);
    for (const signal of Object.keys(signals)) process.on(signal, endBySignal);
  }
  leftovers.add(leftover);
  return {
    [Symbol.dispose]() {
      if (!leftovers.delete(leftover)) return;
      cleanUp(leftover);
      if (leftovers.size > 0) return;
      process.off('exit', cleanUpAll);
      for (const signal of Object.keys(signals)) process.off(signal, endBySignal);
    },
  };
}

/** Everything at once, and without the event loop, which is not to be had at the exit. */
function cleanUpAll(): void {
  const children = [...leftovers].filter(leftover => typeof leftover !== 'string');
  children.forEach(cleanUp);
  // A process that is about to die may still write files, and whoever started us may look for it.
  for (const { pid } of children) waitForEnd(pid);
  for (const leftover of leftovers) if (typeof leftover === 'string') cleanUp(leftover);
  leftovers.clear();
}

function waitForEnd(pid: number | undefined): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let rounds = 0; pid !== undefined && rounds < 400 && isAlive(pid); rounds++)
    Atomics.wait(clock, 0, 0, 5);
}

function isAlive(pid: number): boolean {
  try {
    // The state follows the name, which is in parentheses; Z is a process that only waits to be collected.
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function cleanUp(leftover: ChildProcess | string): void {
  if (typeof leftover === 'string') rmSync(leftover, { recursive: true, force: true, maxRetries: 3 });
  else if (leftover.pid !== undefined && leftover.exitCode === null && leftover.signalCode === null) {
    // All that it started, too.
    process.kill(-leftover.pid, 'SIGKILL');
  }
}

function endBySignal(signal: NodeJS.Signals): void {
  cleanUpAll();
  // A program that handles the signal itself decides what happens next; otherwise this ends as the shell reports it.
  if (process.listenerCount(signal) === 1) process.exit(signals[signal as keyof typeof signals]);
}
