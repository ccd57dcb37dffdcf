import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EventFd } from '../../lib/eventfd.js';
import { now, reportLatency } from './report.js';

/** The receiving side of bench/c/signaller.c: starts it, and puts its stamps and the receiver's together. */
export class Shots {
  readonly #received: Float64Array;
  readonly #acknowledge = new EventFd();
  #count = 0;

  constructor(private readonly total: number) {
    this.#received = new Float64Array(total);
  }

  /** To be called when a signal has arrived. */
  arrived(): void {
    this.#received[this.#count++] = now();
  }

  /** Asks for the next. */
  acknowledge(): void {
    this.#acknowledge.signal();
  }

  /**
   * Has the descriptor signalled and waits until all shots have been; reports the latencies of all but the first half,
   * which is warm-up.
   */
  async run(signaller: string, signalled: number, gapNs: string, figure: string): Promise<void> {
    const child = spawn(signaller, [String(this.total), gapNs], {
      stdio: ['ignore', 'pipe', 'inherit', signalled, this.#acknowledge.fd],
    });
    const [stamps] = await Promise.all([buffer(child.stdout as Readable), once(child, 'close')]);
    if (stamps.length !== 8 * this.total || this.#count !== this.total)
      throw new Error(`${this.#count} of ${this.total} shots arrived, ${stamps.length / 8} were reported`);
    const first = this.total >>> 1;
    const latencies = Float64Array.from(
      { length: this.total - first },
      (_, i) => (this.#received[first + i] as number) - Number(stamps.readBigUInt64LE(8 * (first + i))),
    );
    reportLatency(figure, latencies);
    this.#acknowledge.close();
  }
}
