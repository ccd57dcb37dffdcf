// Running the programs that do the work, one at a time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that failed; its message is for the user as it is. */
export class StepError extends Error {}

const shownLines = 40;

/** Runs a program to its end and returns what it said; when it fails the end of that is the error. */
export async function run(argv, options = {}) {
  const child = spawn(argv[0], argv.slice(1), { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', data => (text += data));
  const [code, signal] = await Promise.race([
    once(child, 'close'),
    once(child, 'error').then(([error]) => Promise.reject(new StepError(`\n${argv[0]}: ${error.message}`))),
  ]);
  if (code === 0) return text;
  const tail = text.trimEnd().split('\n').slice(-shownLines).join('\n');
  throw new StepError(`\n${tail}\nprepare: ${argv.join(' ')} failed (${signal ?? `exit code ${code}`})`);
}

/**
 * Does the work while no other process does any under the same directory's lock. flock(1) holds it for as long as our
 * end of its standard input is open, so the kernel gives it up whatever way this process dies. Locking the directory
 * itself needs no file, so it works in a checkout that cannot be written to.
 */
export async function withLock(directory, work) {
  const holder = spawn('flock', [directory, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'close');
  await Promise.race([once(holder.stdout, 'data'), ended]);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
