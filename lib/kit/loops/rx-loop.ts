import { setImmediate as nextTurn } from 'node:timers/promises';
import { closedError } from '../../errors/vfio-error';
import { integer, options as checkOptions, rangeError, typeError } from '../../validate';
import type { RxSource } from '../nic';

/** How an {@link RxLoop} divides its time. */
export interface RxLoopOptions {
  /**
   * After how many polls without work it arms the interrupt and sleeps. 0 sleeps as soon as there is nothing to do, which is
   * what an interrupt-driven driver does; `Infinity` never sleeps. Default 64.
   */
  idlePolls?: number;
  /**
   * Microseconds that it polls for before the event loop gets a turn: timers, signals, sockets, other NICs. Default 500.
   */
  sliceMicroseconds?: number;
}

/** How often the clock is looked at: each look costs as much as a poll. */
const POLLS_PER_LOOK = 8;

/**
 * Work on received frames, on the event loop of a thread: polls while there is work, sleeps until an interrupt while
 * there is none, and lets others have their turn while there is much.
 *
 * Between polling and sleeping a frame could be missed: it arrives after the last look, when no interrupt is armed yet.
 * So after arming there always is one more look, and only if that finds nothing does the loop sleep.
 */
export class RxLoop {
  /** Polls made, and those that found nothing. */
  polls = 0;
  idle = 0;
  /** Frames (or whatever `work` counts). */
  done = 0;
  /** Interrupts received: what the kernel counted, so several may have come as one wake-up. */
  interrupts = 0;
  /** How often it slept and was woken. */
  wakeups = 0;
  /** Turns it gave the event loop while it had work, or frames that wait. */
  turns = 0;
  /** Looks after arming that found a frame: each would have been missed, or late. */
  caught = 0;
  readonly #source: RxSource;
  readonly #work: () => number;
  readonly #idlePolls: number;
  readonly #sliceMs: number;

  /**
   * @param source the NIC
   * @param work does what there is to do without waiting, such as one burst, and returns how much that was; 0 for nothing
   */
  constructor(source: RxSource, work: () => number, options?: RxLoopOptions) {
    const { idlePolls = 64, sliceMicroseconds = 500 } = checkOptions(options, 'options', [
      'idlePolls',
      'sliceMicroseconds',
    ]);
    if (typeof work !== 'function') throw typeError('work', 'a function', work);
    if (idlePolls !== Infinity) integer(idlePolls, 'options.idlePolls', 0, 2 ** 31);
    if (!(sliceMicroseconds > 0 && sliceMicroseconds <= 1e6)) {
      throw rangeError('options.sliceMicroseconds', 'more than 0 and at most 1,000,000', sliceMicroseconds);
    }
    this.#source = source;
    this.#work = work;
    this.#idlePolls = idlePolls;
    this.#sliceMs = sliceMicroseconds / 1000;
  }

  /**
   * Runs until `signal` is aborted, and then leaves the interrupt disarmed.
   *
   * @throws VfioError `ERR_VFIO_CLOSED` when the NIC is closed before; whatever `work` throws
   */
  async run(signal: AbortSignal): Promise<void> {
    const source = this.#source;
    const interrupts = source.rxVector.interrupts({ signal });
    /** What was done when a frame was last caught. */
    let doneThen = -1;
    let ended = false;
    try {
      for (;;) {
        await this.#poll(signal);
        if (signal.aborted || source.closed) break;
        source.armRxInterrupt();
        if (source.rxPending) {
          source.disarmRxInterrupt();
          this.caught++;
          // Frames that cannot go anywhere for now are no work, and would keep others from having their turn.
          if (this.done === doneThen) await this.#giveTurn();
          doneThen = this.done;
          continue;
        }
        const next = await interrupts.next();
        // The vector is closed, first of all that a device has: the rest may not be yet.
        ended = next.done === true;
        if (next.done === true) break;
        this.interrupts += next.value;
        this.wakeups++;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await interrupts.return?.();
      if (!ended && !source.closed) source.disarmRxInterrupt();
    }
    if ((ended || source.closed) && !signal.aborted) throw closedError(source.name);
  }

  async #giveTurn(): Promise<void> {
    this.turns++;
    await nextTurn();
  }

  /** Until there was no work for long enough. */
  async #poll(signal: AbortSignal): Promise<void> {
    const work = this.#work;
    let idle = 0;
    let end = performance.now() + this.#sliceMs;
    for (let polls = 1; ; polls++) {
      const done = work();
      this.polls++;
      if (done > 0) {
        this.done += done;
        idle = 0;
      } else {
        this.idle++;
        if (idle++ >= this.#idlePolls) return;
      }
      if (polls % POLLS_PER_LOOK !== 0 || performance.now() < end) continue;
      await this.#giveTurn();
      if (signal.aborted || this.#source.closed) return;
      end = performance.now() + this.#sliceMs;
    }
  }
}
