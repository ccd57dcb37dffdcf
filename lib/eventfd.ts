import { closedError } from './errors/vfio-error';
import { attempt } from './errors/explain';
import { type EventFdHandle, native } from './native';
import { integer, isInstance } from './validate';

/** @internal */
export class GivenEventFd {
  constructor(readonly handle: EventFdHandle) {}
}

/** An eventfd(2): a counter in the kernel that one side signals and the other waits on. Closed by {@link close}. */
export class EventFd implements Disposable {
  #handle: EventFdHandle | undefined;

  constructor();
  /** @internal Takes over a handle that is there. */
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- the other one is public
  constructor(given: GivenEventFd);
  constructor(given?: GivenEventFd) {
    this.#handle = isInstance(given, GivenEventFd)
      ? given.handle
      : attempt({ doing: 'Creating an eventfd' }, () => native().eventFdCreate());
  }

  /** @internal */
  get handle(): EventFdHandle {
    if (this.#handle === undefined) throw closedError('The eventfd');
    return this.#handle;
  }

  get closed(): boolean {
    return this.#handle === undefined;
  }

  /** Its file descriptor, to hand to another process or library. It stays owned by this object. */
  get fd(): number {
    return native().eventFdNumber(this.handle);
  }

  /** Adds to the counter. */
  signal(count = 1): void {
    integer(count, 'count', 1, 2 ** 32 - 1);
    attempt({ doing: 'Signalling an eventfd' }, () => native().eventFdSignal(this.handle, count));
  }

  /** Does nothing the second time. */
  close(): void {
    if (this.#handle === undefined) return;
    native().eventFdClose(this.#handle);
    this.#handle = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
