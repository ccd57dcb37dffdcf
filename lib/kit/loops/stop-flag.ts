import { types } from 'node:util';
import { typeError } from '../../validate';

/**
 * Ends a loop that never returns to its event loop, from another thread: such a loop hears no messages and no signals.
 *
 * ```ts
 * const flag = new StopFlag();
 * const worker = new Worker(file, { workerData: flag.buffer }); // there: busyPoll(new StopFlag(workerData), work)
 * flag.stop();
 * ```
 */
export class StopFlag {
  /** What is sent to the other thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #word: Int32Array;

  /** @param buffer another flag's, to share it */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    if (!types.isSharedArrayBuffer(buffer) || buffer.byteLength !== 4) {
      throw typeError('buffer', 'the buffer of a StopFlag', buffer);
    }
    this.buffer = buffer;
    this.#word = new Int32Array(buffer);
  }

  get stopped(): boolean {
    return Atomics.load(this.#word, 0) !== 0;
  }

  /** Ends the loop at its next look, which is microseconds away. */
  stop(): void {
    Atomics.store(this.#word, 0, 1);
  }
}
