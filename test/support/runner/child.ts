import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { packageRoot } from '../../../lab/paths.js';

/** How long a process that was asked to end may take for it. */
const graceMs = 5000;

export interface ChildOptions {
  output: Writable;
  timeoutMs: number;
  env?: NodeJS.ProcessEnv;
}

/**
 * Runs this Node with those arguments in the package's directory.
 *
 * @returns how it ended: `undefined` when that was with exit code 0, else in words
 */
export async function runNode(argv: readonly string[], options: ChildOptions): Promise<string | undefined> {
  const { output, timeoutMs, env = process.env } = options;
  const child = spawn(process.execPath, argv, { cwd: packageRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => void child.kill('SIGTERM');
  process.on('exit', end);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
    end();
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
  }, timeoutMs);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (late.signal.aborted) return `it did not end within ${timeoutMs / 1000} s`;
    return code === 0 ? undefined : signal === null ? `exit code ${code}` : `killed by ${signal}`;
  } finally {
    clearTimeout(timer);
    process.off('exit', end);
  }
}
