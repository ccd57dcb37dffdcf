import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EventFd } from '../../lib/eventfd.js';
import { now, reportLatency } from './report.js';

/** The receiving side of bench/c/signaller.c: starts it, and puts its stamps and the receiver's together. */
export class Shots {
  readonly #total: number;
  /** A device may interrupt more often than it was told to, so there is room to spare. */
  readonly #received: Float64Array;
  readonly #acknowledge = new EventFd();
  #arrivals = 0;

  constructor(total: number) {
    this.#total = total;
    this.#received = new Float64Array(4 * total);
  }

  /** To be called when a signal has arrived. */
  arrived(): void {
    this.#received[this.#arrivals++] = now();
  }

  /** Asks for the next. */
  acknowledge(): void {
    this.#acknowledge.signal();
  }

  /** Has the descriptor signalled until all shots have been, from a processor of its own if named; reports the latencies. */
  async run(
    figure: string,
    signaller: { program: string; signalled: number; gapNs: string; processor?: string },
  ): Promise<void> {
    const { program, signalled, gapNs, processor } = signaller;
    const args = [String(this.#total), gapNs, ...(processor === undefined ? [] : [processor])];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit', signalled, this.#acknowledge.fd],
    });
    const [stamps] = await Promise.all([buffer(child.stdout as Readable), once(child, 'close')]);
    this.#acknowledge.close();
    if (stamps.length !== 8 * this.#total) throw new Error('the signaller ended early');
    const sent = Float64Array.from({ length: this.#total }, (_, i) => Number(stamps.readBigUInt64LE(8 * i)));
    // The first half is warm-up.
    reportLatency(
      figure,
      latencies(sent, this.#received.subarray(0, this.#arrivals)).subarray(this.#total >>> 1),
    );
  }
}

/** From each shot to the first arrival after it. Both must ascend. */
export function latencies(sent: Float64Array, received: Float64Array): Float64Array {
  let next = 0;
  return sent.map((shot, i) => {
    while (next < received.length && (received[next] as number) < shot) next++;
    if (next === received.length) throw new Error(`nothing arrived of shot ${i}`);
    return (received[next] as number) - shot;
  });
}
