import type { Mapping } from 'vfio';
import { Cause, Ivar, Reg } from '../../../examples/e1000e/registers';

export { Cause, Reg } from '../../../examples/e1000e/registers';

/**
 * Below this an 82574L of QEMU puts off the next interrupt of the same vector. From the first one that it put off, it
 * follows each interrupt with a needless second one (until QEMU 8): a count is then at least what it should be.
 */
export const SPACING_MS = 2;

/** Lets the NIC send its receive, transmit and other causes as MSI-X vectors 0, 1 and 2. */
export function routeInterrupts(registers: Mapping): void {
  registers.write32(Reg.IMC, 0xffff_ffff);
  // Sending an interrupt clears its cause, or the next one would be no news.
  registers.write32(Reg.EIAC, Cause.RXQ0 | Cause.TXQ0 | Cause.OTHER);
  registers.write32(
    Reg.IVAR,
    ((0 | Ivar.VALID) << Ivar.RXQ0_SHIFT) |
      ((1 | Ivar.VALID) << Ivar.TXQ0_SHIFT) |
      ((2 | Ivar.VALID) << Ivar.OTHER_SHIFT),
  );
}

/** Makes the NIC itself interrupt for these causes. */
export function interruptFor(registers: Mapping, causes: number): void {
  registers.write32(Reg.IMS, causes);
  registers.write32(Reg.ICS, causes);
  // A read from the device pushes the writes ahead of it.
  registers.read32(Reg.STATUS);
}
