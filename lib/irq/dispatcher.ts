/**
 * Interrupts on the event loop: the native layer waits on all eventfds of this environment at once and hands over which
 * fired; this module knows whom to tell.
 */
import { attempt } from '../errors/explain';
import type { EventFd } from '../eventfd';
import { native } from '../native';
import type { FileHandle } from '../native-iommufd';

type Listener = (count: number) => void;

const listeners = new Map<number, Listener>();
let nextId = 1;
let fired: { ids: Uint32Array; counts: Float64Array } | undefined;
let holds = 0;

/**
 * Calls `listener` with the eventfd's counter whenever it is signalled, also if it was before.
 *
 * @param readCount false saves a system call per event; the count is then 1, meaning at least one
 * @returns a function that ends it
 */
export function listen(eventfd: EventFd, listener: Listener, readCount: boolean): () => void {
  attempt({ doing: 'Waiting on an eventfd' }, () => {
    fired ??= native().loopStart(onFired);
    native().loopAdd(eventfd.handle, nextId, readCount);
  });
  const id = nextId++;
  listeners.set(id, listener);
  return () => {
    listeners.delete(id);
    if (!eventfd.closed) native().loopRemove(eventfd.handle);
  };
}

/** Calls `listener` while a file that the kernel handed out is readable. Returns a function that ends it. */
export function listenToFile(file: FileHandle, listener: () => void): () => void {
  fired ??= native().loopStart(onFired);
  const id = nextId++;
  native().loopAddFile(file, id);
  listeners.set(id, listener);
  return () => {
    listeners.delete(id);
    native().loopRemoveFile(file);
  };
}

/** Keeps the process alive until {@link release} was called as often. */
export function hold(): void {
  if (holds++ === 0) native().loopRef(true);
}

export function release(): void {
  if (--holds === 0) native().loopRef(false);
}

function onFired(n: number): void {
  if (fired === undefined) return;
  for (let i = 0; i < n; i++) {
    try {
      // A listener earlier in this batch may have ended a later one: ids are never used twice, so it is simply not found.
      listeners.get(fired.ids[i] as number)?.(fired.counts[i] as number);
    } catch (error) {
      // One listener's exception must not cost the others their interrupts; it surfaces as uncaught, as from any emitter.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
