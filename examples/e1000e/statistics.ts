/** The device's own counters (10.2.7). Reading one clears it, so they are added up. */
import { Counters, type CounterSource } from 'vfio/kit';
import { type E1000eRegisters } from './registers.js';

const COUNTERS = {
  /** Frames received without error that passed the address filter. */
  received: 'GPRC',
  transmitted: 'GPTC',
  /** Frames lost because the device's own packet buffer was full. */
  missed: 'MPC',
  /** How often there was no descriptor for a frame: it may still have waited in the packet buffer. */
  noDescriptor: 'RNBC',
  crcErrors: 'CRCERRS',
  receiveErrors: 'RXERRC',
  oversized: 'ROC',
} as const;

export type CounterName = keyof typeof COUNTERS;

export class Statistics {
  private readonly counters: Counters<CounterName>;
  /** As of the last {@link read}. */
  totals: Readonly<Record<CounterName, number>>;

  constructor(regs: E1000eRegisters) {
    const sources = Object.entries(COUNTERS).map(([name, register]): [string, CounterSource] => [
      name,
      { kind: 'clears', read: () => regs[register].take() },
    ]);
    this.counters = new Counters(Object.fromEntries(sources) as Record<CounterName, CounterSource>);
    this.totals = this.counters.read();
  }

  /** What the device has counted since it was opened. */
  read(): Readonly<Record<CounterName, number>> {
    this.totals = this.counters.read();
    return this.totals;
  }
}
