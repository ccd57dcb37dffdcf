/**
 * Many vectors signalled together: the time from the last signal until every listener was called, per vector; compare
 * bench/c/eventfd-burst.c.
 */
import type { IrqVector } from '../../lib/irq/irq-vector.js';
import { plainVector } from './plain-vector.js';
import { now, reportMedian } from './report.js';

class Burst {
  readonly #vectors: IrqVector[];
  #missing = 0;
  #done: (() => void) | undefined;

  constructor(count: number, counts: boolean) {
    this.#vectors = Array.from({ length: count }, () => plainVector(counts));
    for (const vector of this.#vectors) vector.on('interrupt', signals => this.#serve(signals));
  }

  /** Nanoseconds per vector. */
  async once(): Promise<number> {
    for (const vector of this.#vectors) vector.eventfd.signal();
    this.#missing = this.#vectors.length;
    let served = 0;
    const signalled = now();
    await new Promise<void>(resolve => {
      this.#done = () => {
        served = now();
        // Out of the callback, so that the next burst starts like this one.
        setImmediate(resolve);
      };
    });
    return (served - signalled) / this.#vectors.length;
  }

  close(): void {
    for (const vector of this.#vectors) vector.close();
  }

  #serve(signals: number): void {
    this.#missing -= signals > 0 ? 1 : 0;
    if (this.#missing === 0) this.#done?.();
  }
}

async function measure(count: number, bursts: number, counts: boolean): Promise<void> {
  const burst = new Burst(count, counts);
  const samples = new Float64Array(bursts);
  for (let i = 0; i < bursts / 2; i++) await burst.once();
  for (let i = 0; i < bursts; i++) samples[i] = await burst.once();
  reportMedian(`${counts ? 'counts' : 'edges'}-${count}`, samples);
  burst.close();
}

async function main(): Promise<void> {
  const numbers = process.argv.slice(2).map(Number);
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    for (const counts of [false, true]) await measure(numbers[i] as number, numbers[i + 1] as number, counts);
  }
}

void main();
