/**
 * Interrupts on the event loop: the native layer waits on all eventfds of this environment at once and hands over which
 * fired; this module knows whom to tell.
 */
import { attempt } from '../errors/explain';
import type { EventFd } from '../eventfd';
import { native } from '../native';
import type { FileHandle } from '../native-iommufd';

type Listener = (count: number) => void;

/** By id. */
const listeners: (Listener | undefined)[] = [];
/** Ids to be used again. Those that listeners give up while a list is worked through wait for its end: it may name them. */
const freeIds: number[] = [];
const givenUp: number[] = [];
let delivering = false;
let fired: { ids: Uint32Array; counts: Float64Array } | undefined;
let holds = 0;

/**
 * Calls `listener` with the eventfd's counter whenever it is signalled, also if it was before.
 *
 * @param readCount false saves a system call per event; the count is then 1, meaning at least one
 * @param urgent interrupts, of which listeners are to hear as quickly as can be; the few first ones do
 * @returns a function that ends it
 */
export function listen(eventfd: EventFd, listener: Listener, readCount: boolean, urgent = false): () => void {
  const id = add(listener, newId =>
    attempt({ doing: 'Waiting on an eventfd' }, () => {
      fired ??= native().loopStart(onFired);
      native().loopAdd(eventfd.handle, newId, readCount, urgent);
    }),
  );
  return () => {
    remove(id, listener);
    if (!eventfd.closed) native().loopRemove(eventfd.handle);
  };
}

/** Calls `listener` while a file that the kernel handed out is readable. Returns a function that ends it. */
export function listenToFile(file: FileHandle, listener: () => void): () => void {
  const id = add(listener, newId => {
    fired ??= native().loopStart(onFired);
    native().loopAddFile(file, newId);
  });
  return () => {
    remove(id, listener);
    native().loopRemoveFile(file);
  };
}

/** A new id, once `start` has had the native layer use it. */
function add(listener: Listener, start: (id: number) => void): number {
  const id = freeIds.at(-1) ?? listeners.length;
  start(id);
  freeIds.pop();
  listeners[id] = listener;
  return id;
}

function remove(id: number, listener: Listener): void {
  if (listeners[id] !== listener) return;
  listeners[id] = undefined;
  (delivering ? givenUp : freeIds).push(id);
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
  const { ids, counts } = fired;
  delivering = true;
  for (let i = 0; i < n; i++) {
    // A listener earlier in this list may have ended a later one.
    const listener = listeners[ids[i] as number];
    if (listener === undefined) continue;
    try {
      listener(counts[i] as number);
    } catch (error) {
      // One listener's exception must not cost the others their interrupts; it surfaces as uncaught, as from any emitter.
      process.nextTick(() => {
        throw error;
      });
    }
  }
  delivering = false;
  if (givenUp.length > 0) freeIds.push(...givenUp.splice(0));
}
