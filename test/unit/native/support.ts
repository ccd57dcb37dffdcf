import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../../lib/native';
import { createProcess } from '../../support/processes';

/** The fields of a failing system call's error. */
export interface SystemError extends Error {
  code?: string;
  errno?: number;
  syscall?: string;
  path?: string;
}

/** What `action` throws; fails when it does not. */
export function thrownBy(action: () => unknown): SystemError {
  try {
    action();
  } catch (error) {
    assert(error instanceof Error);
    return error;
  }
  assert.fail('nothing was thrown');
}

export async function rejectionOf(promise: unknown): Promise<SystemError> {
  assert(promise instanceof Promise, 'the call did not return a promise');
  return promise.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => {
      assert(error instanceof Error);
      return error;
    },
  );
}

/** Unwraps what a call with `async` false returned. */
export function now<T>(value: T | Promise<T>): T {
  assert(!(value instanceof Promise), 'a synchronous call returned a promise');
  return value;
}

export const errnos = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  ENOMEM: 12,
  EBUSY: 16,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
} as const;

/** A pipe with a name: the one file that Node can make whose reader has to wait. Both of its ends are `fd`. */
export function makePipe(): number {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vfio-'));
  const name = path.join(directory, 'pipe');
  try {
    execFileSync('mkfifo', [name]);
    return fs.openSync(name, fs.constants.O_RDWR);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** Counts what this process has open. */
export function openFiles(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

export const nothingLive = {
  containers: 0,
  groups: 0,
  devices: 0,
  bars: 0,
  memories: 0,
  dmaMaps: 0,
  eventfds: 0,
  restores: 0,
  iommufds: 0,
  files: 0,
};

/** What lives now beyond `before`: other tests' handles wait for the garbage collector. */
export function liveSince(before: ReturnType<ReturnType<typeof native>['liveObjects']>): typeof nothingLive {
  const after = native().liveObjects();
  const kinds = Object.keys(nothingLive) as (keyof typeof nothingLive)[];
  return Object.fromEntries(kinds.map(kind => [kind, after[kind] - before[kind]])) as typeof nothingLive;
}

/** What a body prints in a process of its own: each environment has one loop, and the mocha process's belongs to the library. */
export async function inProcess(body: Parameters<typeof createProcess<null>>[0]): Promise<string> {
  const { code, signal, stdout, stderr } = await createProcess(body, null);
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  return stdout;
}
