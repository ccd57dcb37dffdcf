/** Running the system's own tools. */
import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, in the C locale so that its output can be read by a program. */
export function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal && { signal }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', error => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      reject(missing ? new Error(`The program ${program} is not installed.`, { cause: error }) : error);
    });
    child.on('close', (code, killedBy) => {
      if (code === null) reject(new Error(`${program} was ended by ${killedBy ?? 'something'}.`));
      else resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a program that must succeed, and returns what it printed. */
export async function runOrThrow(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, signal);
  if (code !== 0)
    throw new Error(`'${[program, ...args].join(' ')}' failed: ${stderr.trim() || `exit code ${code}`}`);
  return stdout;
}
