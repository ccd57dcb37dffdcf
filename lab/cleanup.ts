import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

/** What must not outlive this process: child processes to kill and directories to remove. */
const leftovers = new Set<ChildProcess | string>();

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Registers a child or a directory to be cleaned up however this process ends, short of SIGKILL. Disposing of the
 * returned handle cleans up at once.
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

function cleanUpAll(): void {
  for (const leftover of leftovers) cleanUp(leftover);
  leftovers.clear();
}

function cleanUp(leftover: ChildProcess | string): void {
  if (typeof leftover !== 'string') leftover.kill('SIGKILL');
  else rmSync(leftover, { recursive: true, force: true, maxRetries: 3 });
}

function endBySignal(signal: NodeJS.Signals): void {
  cleanUpAll();
  // A program that handles the signal itself decides what happens next; otherwise this ends as the shell reports it.
  if (process.listenerCount(signal) === 1) process.exit(signals[signal as keyof typeof signals]);
}
