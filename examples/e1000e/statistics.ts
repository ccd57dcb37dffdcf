/** The device's own counters (10.2.7). Reading one clears it, so they are added up here. */
import { type Registers } from 'vfio';
import { Reg } from './registers.js';

const COUNTERS = {
  /** Frames received without error that passed the address filter. */
  received: Reg.GPRC,
  transmitted: Reg.GPTC,
  /** Frames lost because the device's own packet buffer was full. */
  missed: Reg.MPC,
  /** How often there was no descriptor for a frame: it may still have waited in the packet buffer. */
  noDescriptor: Reg.RNBC,
  crcErrors: Reg.CRCERRS,
  receiveErrors: Reg.RXERRC,
  oversized: Reg.ROC,
} as const;

export type CounterName = keyof typeof COUNTERS;

export class Statistics {
  private readonly totals: Record<CounterName, number>;

  constructor(private readonly registers: Registers) {
    this.totals = {
      received: 0,
      transmitted: 0,
      missed: 0,
      noDescriptor: 0,
      crcErrors: 0,
      receiveErrors: 0,
      oversized: 0,
    };
    for (const register of Object.values(COUNTERS)) registers.read32(register);
  }

  /** What the device has counted since it was opened. */
  read(): Readonly<Record<CounterName, number>> {
    for (const name of Object.keys(COUNTERS) as CounterName[]) {
      this.totals[name] += this.registers.read32(COUNTERS[name]);
    }
    return { ...this.totals };
  }
}
