/** The device's own counters. Reading one clears it, so they are added up. */
import { Counters, type CounterSource } from 'vfio/kit';
import { type IgbRegisters } from './registers.js';

const COUNTERS = {
  /** Frames received without error that passed the address filter. */
  received: 'GPRC',
  broadcasts: 'BPRC',
  multicasts: 'MPRC',
  transmitted: 'GPTC',
  /** Frames lost because the device's own packet buffer was full. */
  missed: 'MPC',
  /** How often there was no descriptor for a frame. */
  noDescriptor: 'RNBC',
  crcErrors: 'CRCERRS',
  receiveErrors: 'RXERRC',
  oversized: 'ROC',
} as const;

/** And frames that a queue dropped for want of a descriptor, all queues together. */
export type CounterName = keyof typeof COUNTERS | 'dropped';

export class Statistics {
  private readonly counters: Counters<CounterName>;
  /** As of the last {@link read}. */
  totals: Readonly<Record<CounterName, number>>;

  constructor(regs: IgbRegisters, queues: number) {
    const sources = Object.entries(COUNTERS).map(([name, register]): [string, CounterSource] => [
      name,
      { kind: 'clears', read: () => regs[register].take() },
    ]);
    const dropped = (): number => {
      let sum = 0;
      for (let queue = 0; queue < queues; queue++) sum += regs.RQDPC.at(queue).take();
      return sum;
    };
    this.counters = new Counters({
      ...(Object.fromEntries(sources) as Record<keyof typeof COUNTERS, CounterSource>),
      dropped: { kind: 'clears', read: dropped },
    });
    this.totals = this.counters.read();
  }

  /** What the device has counted since it was opened. */
  read(): Readonly<Record<CounterName, number>> {
    this.totals = this.counters.read();
    return this.totals;
  }
}
