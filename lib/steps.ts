/**
 * One source for each blocking operation and its `…Sync` twin.
 *
 * Opening a device takes several system calls of which some block for tens of milliseconds, with undoing in between
 * when one fails. Such a sequence is written once, as a generator that yields its blocking steps; `runSync` performs
 * them on the spot, `runAsync` off the loop. `try`/`finally` around a step works the same in both.
 */

import { setTimeout } from 'node:timers/promises';

/** A piece of work that blocks when `async` is false and returns a promise when it is true. */
export type Step<T = unknown> = (async: boolean) => T | Promise<T>;
export type Steps<T> = Generator<Step, T, unknown>;

/** `const fd = yield* step(async => native().groupGetDeviceFd(group, name, async))` */
export function* step<T>(work: Step<T>): Steps<T> {
  return (yield work) as T;
}

/** Lets that many milliseconds pass. */
export function pause(milliseconds: number): Steps<unknown> {
  return step<unknown>(async =>
    async
      ? setTimeout(milliseconds)
      : Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds),
  );
}

export function runSync<T>(steps: Steps<T>): T {
  let next = steps.next();
  while (next.done !== true) {
    let value: unknown;
    try {
      value = next.value(false);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(value);
  }
  return next.value;
}

export async function runAsync<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next();
  while (next.done !== true) {
    let value: unknown;
    try {
      value = await next.value(true);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(value);
  }
  return next.value;
}
