import { threadId } from 'node:worker_threads';
import { busyError } from '../errors/vfio-error';
import type { EventFd } from '../eventfd';
import { native } from '../native';
import { share, type Shared } from '../shared';
import type { IrqVector } from './irq-vector';

/**
 * Who waits for a vector: an eventfd's count can be taken only once, so of the thread that made the vector and those that may
 * adopt it one has it at a time. The native layer decides, as they come at the same time.
 */
export class Turn {
  #shared: Shared<IrqVector> | undefined;
  /** The vector was adopted: it is this thread's turn until it is closed. */
  readonly #adopted: boolean;

  constructor(adopted: Shared<IrqVector> | undefined) {
    this.#shared = adopted;
    this.#adopted = adopted !== undefined;
  }

  /** @param waiting whether this thread is waiting at the moment */
  share(about: object, eventfd: EventFd, waiting: boolean, name: string): Shared<IrqVector> {
    if (this.#shared === undefined) {
      this.#shared = share('vector', about, (key, text) => native().shareEventFd(eventfd.handle, key, text));
      if (waiting) this.take(name);
    }
    return this.#shared;
  }

  /** The thread that has adopted it. */
  get adoptedBy(): number | undefined {
    const thread = this.#shared === undefined ? -1 : native().shareBorrower(this.#shared.key);
    return thread < 0 ? undefined : thread;
  }

  /** Refuses while another thread has it. */
  check(name: string): void {
    if (!this.#adopted) refuse(this.adoptedBy, name);
  }

  /** From here on it is this thread that waits. */
  take(name: string): void {
    if (this.#shared === undefined || this.#adopted) return;
    const thread = native().shareTake(this.#shared.key, threadId);
    refuse(thread < 0 ? undefined : thread, name);
  }

  /** Nobody here waits any more. */
  giveBack(): void {
    if (this.#shared !== undefined && !this.#adopted) native().shareGiveBack(this.#shared.key);
  }
}

function refuse(thread: number | undefined, name: string): void {
  if (thread === undefined) return;
  throw busyError(
    `${name} is with thread ${thread}, which adopted it`,
    'close it there, or end that thread: then it is back here',
  );
}
