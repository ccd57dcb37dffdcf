import { EventEmitter } from 'node:events';
import { attempt } from '../errors/explain';
import { closedError, VfioError } from '../errors/vfio-error';
import { EventFd } from '../eventfd';
import { native } from '../native';
import type { Shared } from '../shared';
import { abortSignal, options as checkOptions } from '../validate';
import { CountQueue } from './count-queue';
import { hold, listen, release } from './dispatcher';
import { readTimeout, readWait, type WaitOptions } from './options';
import { Turn } from './turn';
import type { VectorDevice, VectorOwner } from './vector-owner';

/**
 * One interrupt vector of a device: an eventfd that the kernel signals, on this environment's event loop.
 *
 * Signals that come before the loop gets to them are one event with a count: an `'interrupt'` means "at least one since
 * last time", so a handler looks at the device until there is nothing left to do. A listener keeps the process alive,
 * unless {@link unref} was called; without a listener nothing does.
 *
 * MSI and MSI-X are memory writes by the device: nothing arrives before bus mastering is on (`device.enableBusMaster()`).
 *
 * @fires interrupt with the number of signals since the last event
 */
export class IrqVector
  extends EventEmitter<{ interrupt: [count: number] }>
  implements AsyncIterable<number>, Disposable
{
  /** Its number among the vectors of its kind. */
  readonly index: number;
  readonly #device: VectorDevice;
  readonly #owner: VectorOwner;
  readonly #eventfd: EventFd;
  readonly #readCounts: boolean;
  readonly #queues = new Set<CountQueue>();
  #total = 0;
  #stop: (() => void) | undefined;
  #referenced = true;
  #holding = false;
  #ended = false;
  readonly #turn: Turn;

  /** @internal */
  constructor(
    device: VectorDevice,
    owner: VectorOwner,
    index: number,
    readCounts: boolean,
    adopted?: { eventfd: EventFd; shared: Shared<IrqVector> },
  ) {
    super();
    this.#eventfd = adopted?.eventfd ?? new EventFd();
    this.#turn = new Turn(adopted?.shared);
    this.#device = device;
    this.#owner = owner;
    this.index = index;
    this.#readCounts = readCounts;
    onListeners(this, coming => this.#update(coming));
  }

  /** @internal */
  get eventfd(): EventFd {
    return this.#eventfd;
  }

  /** The eventfd's file descriptor, for those who wait on it themselves. It stays owned by this object. */
  get fd(): number {
    return this.#eventfd.fd;
  }

  /** Signals seen so far, by listeners and waits together. With `counts: false` it counts events. */
  get total(): number {
    return this.#total;
  }

  get closed(): boolean {
    return this.#ended || this.#owner.over === true;
  }

  /** The thread that has adopted it, by its `threadId`: only there can it be waited for. `undefined` when none has. */
  get adoptedBy(): number | undefined {
    return this.#turn.adoptedBy;
  }

  /**
   * Lets another thread of this process wait for it: `adopt()` makes a vector of the result there. Whichever thread starts to
   * wait has it, one at a time: adopting fails while this one listens, and here listening fails with `ERR_VFIO_BUSY` until the
   * adopted one is closed or its thread has ended, by whatever way. Signals that nobody has taken by then wait here.
   */
  share(): Shared<IrqVector> {
    if (this.closed) throw closedError(this.#name);
    const { address } = this.#device;
    const about = { address, info: this.#owner.info, index: this.index, counts: this.#readCounts };
    return this.#turn.share(about, this.#eventfd, this.#stop !== undefined, this.#name);
  }

  /**
   * The next interrupt.
   *
   * @returns how many signals there were
   * @throws VfioError `ERR_VFIO_TIMEOUT` after `timeoutMs`, `ERR_VFIO_CLOSED` when the vector closes; AbortError
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { timeoutMs, signal } = readWait(options);
    const queue = this.#queue(signal);
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            const failure = this.#late(timeoutMs);
            if (failure !== undefined) queue.fail(failure);
          }, timeoutMs);
    try {
      const { value, done } = await queue.next();
      if (done === true) throw closedError(this.#name);
      return value;
    } finally {
      clearTimeout(timer);
      await queue.return();
    }
  }

  /**
   * Blocks the whole thread until the next interrupt: for worker threads that own their loop.
   *
   * @param timeoutMs default for ever
   * @returns how many signals there were, 0 when the time ran out
   * @throws VfioError `ERR_VFIO_CLOSED` when the vector is closed, `ERR_VFIO_BUSY` while another thread has it
   */
  waitSync(timeoutMs?: number): number {
    const limit = readTimeout(timeoutMs, 'timeoutMs') ?? -1;
    if (this.closed) throw closedError(this.#name);
    const doing = `Waiting for ${this.#name}`;
    this.#turn.take(this.#name);
    try {
      const { handle } = this.#eventfd;
      const count = attempt({ doing }, () => native().eventFdWait(handle, limit));
      if (this.#endIfOver()) throw closedError(this.#name);
      this.#total += count;
      return count;
    } finally {
      if (this.#stop === undefined) this.#turn.giveBack();
    }
  }

  /**
   * The interrupts as they come, each with its count: `for await (const count of vector) …`. Those that come while the
   * loop's body runs add up. Ends when the vector closes; with `signal`, in an `AbortError` when that fires.
   */
  interrupts(options?: { signal?: AbortSignal }): AsyncIterableIterator<number> {
    const { signal } = checkOptions(options, 'options', ['signal']);
    return this.#queue(abortSignal(signal, 'options.signal'));
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<number> {
    return this.interrupts();
  }

  /**
   * Fires the interrupt in software (`VFIO_IRQ_SET_ACTION_TRIGGER` without data): the whole way from the kernel to the
   * listeners without the device, as a self-test.
   */
  trigger(): void {
    if (this.closed) throw closedError(this.#name);
    attempt({ doing: `Triggering ${this.#name}`, address: this.#device.address }, () =>
      native().irqAction(this.#device.handle, this.#owner.info.index, 'trigger', this.index, 1),
    );
  }

  /** Listening keeps the process alive (the default). */
  ref(): this {
    this.#referenced = true;
    this.#update(0);
    return this;
  }

  /** Listening does not keep the process alive. */
  unref(): this {
    this.#referenced = false;
    this.#update(0);
    return this;
  }

  /**
   * Disarms the vector. Waits end with `ERR_VFIO_CLOSED`, iterations end, in a thread that adopted it too. Of one that was
   * adopted it ends the waiting here, and gives it back to its owner. Does nothing the second time.
   */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#owner.release(this);
    } finally {
      this.#stop?.();
      this.#stop = undefined;
      this.#eventfd.close();
      for (const queue of this.#queues) queue.end();
      this.#update(0);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #name(): string {
    return `${this.#owner.info.name} vector ${this.index} of ${this.#device.address}`;
  }

  #queue(signal: AbortSignal | undefined): CountQueue {
    if (this.closed) throw closedError(this.#name);
    this.#turn.check(this.#name);
    const queue = new CountQueue(signal, () => {
      this.#queues.delete(queue);
      this.#update(0);
    });
    if (!queue.ended) {
      this.#queues.add(queue);
      this.#update(0);
    }
    return queue;
  }

  /** Waits on the loop exactly while somebody listens. `coming`: listeners about to be added. */
  #update(coming: number): void {
    const wanted = !this.closed && this.listenerCount('interrupt') + coming + this.#queues.size > 0;
    if (wanted && this.#stop === undefined) {
      this.#turn.take(this.#name);
      this.#stop = this.#listen();
    } else if (!wanted && this.#stop !== undefined) {
      this.#stop();
      this.#stop = undefined;
      this.#turn.giveBack();
    }
    this.#hold(wanted && this.#referenced);
  }

  #listen(): () => void {
    try {
      return listen(this.#eventfd, count => this.#onSignal(count), this.#readCounts, true);
    } catch (error) {
      this.#turn.giveBack();
      throw error;
    }
  }

  /** Whether another thread's vector was closed there; then it ends here too. */
  #endIfOver(): boolean {
    if (this.#owner.over !== true) return false;
    this.close();
    return true;
  }

  #hold(wanted: boolean): void {
    if (wanted === this.#holding) return;
    this.#holding = wanted;
    if (wanted) hold();
    else release();
  }

  /** Why a wait that ran out of time fails; nothing when it does not. */
  #late(timeoutMs: number): VfioError | undefined {
    try {
      if (this.#takeLate()) return undefined;
      return new VfioError(`No interrupt on ${this.#name} within ${timeoutMs} ms`, {
        code: 'ERR_VFIO_TIMEOUT',
        address: this.#device.address,
        ...(this.#device.closed || this.#device.busMastering
          ? {}
          : { likelyCause: 'bus mastering is off', cure: 'device.enableBusMaster()' }),
      });
    } catch (error) {
      // Nobody would hear of it from within a timer.
      return error as VfioError;
    }
  }

  /** Whether a signal is there that the loop has not got to yet: timers run before it. */
  #takeLate(): boolean {
    const count = attempt({ doing: `Waiting for ${this.#name}` }, () =>
      native().eventFdTake(this.#eventfd.handle),
    );
    if (count > 0) this.#onSignal(this.#readCounts ? count : 1);
    return count > 0;
  }

  #onSignal(count: number): void {
    // That it is over is told by a signal too.
    if (this.#endIfOver()) return;
    this.#total += count;
    if (this.#queues.size > 0) for (const queue of this.#queues) queue.push(count);
    this.emit('interrupt', count);
  }
}

/** Calls `update` before an `'interrupt'` listener is added (1) and after one was removed (0). */
function onListeners(emitter: EventEmitter, update: (coming: number) => void): void {
  for (const [event, coming] of Object.entries({ newListener: 1, removeListener: 0 })) {
    emitter.on(event, changed => {
      if (changed === 'interrupt') update(coming);
    });
  }
}
