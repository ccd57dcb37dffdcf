import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { atExit } from './cleanup.js';
import { LabError } from './error.js';

/**
 * Runs "$@" and, when this shell's standard input ends, kills its whole process group. The input ends whatever way
 * the process at the other end dies.
 */
const guard = `exec 3<&0 </dev/null
(cat <&3; kill -KILL 0) >/dev/null 2>&1 &
exec 3<&-
"$@"`;

/** How a long program runs. */
export interface GuardedOptions {
  cwd: string;
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** Gets each line of its standard output. */
  onLine: (line: string) => void;
}

/**
 * Runs a program that starts others, such as make: none of them outlives this process, not even when that is killed.
 * Anything but exit code 0 is a failure of the lab, which shows the end of what was written.
 */
export async function runGuarded(
  argv: readonly string[],
  { cwd, env, onLine }: GuardedOptions,
): Promise<void> {
  const child = spawn('sh', ['-c', guard, 'sh', ...argv], { cwd, env, detached: true });
  const cleanup = atExit(child);
  const tail: string[] = [];
  const keep = (line: string): void => {
    tail.push(line);
    if (tail.length > 25) tail.shift();
  };
  createInterface(child.stdout).on('line', line => {
    onLine(line);
    keep(line);
  });
  createInterface(child.stderr).on('line', keep);
  const ended = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => child.stdin.end());
    child.on('close', (code, signal) => resolve(String(code ?? signal)));
  }).finally(() => cleanup[Symbol.dispose]());
  if (ended !== '0') throw new LabError(`${argv.join(' ')} ended with ${ended}:\n${tail.join('\n')}`);
}
