import { spawn, type SpawnOptionsWithoutStdio } from 'node:child_process';
import { LabError } from './error.js';

/** What a program said; `code` is null when it was killed. */
export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of the host to its end and returns what it wrote. A program that is missing is an error. */
export function runCommand(
  argv: readonly string[],
  options: SpawnOptionsWithoutStdio = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const [program = '', ...rest] = argv;
    const child = spawn(program, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => stdout.push(data));
    child.stderr.on('data', (data: Buffer) => stderr.push(data));
    child.on('error', cause => reject(new LabError(`cannot run ${program}: ${cause.message}`, { cause })));
    child.on('close', code =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** The same, where anything but exit code 0 is a failure of the lab; returns standard output. */
export async function mustRun(
  argv: readonly string[],
  options: SpawnOptionsWithoutStdio = {},
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(argv, options);
  if (code !== 0) {
    const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new LabError(`${argv.join(' ')} exited with ${code ?? 'a signal'}:\n${tail}`);
  }
  return stdout;
}
