import { setTimeout } from 'node:timers/promises';
import type { Mapping } from 'vfio';
import { Cause, registerMap } from '../../../examples/e1000e/registers';

export { Cause } from '../../../examples/e1000e/registers';

const { specs } = registerMap;
/** Where an 82574L has its registers, for tests of plain accesses to them. */
export const Reg = Object.fromEntries(Object.entries(specs).map(([name, { offset }]) => [name, offset])) as {
  readonly [Name in keyof typeof specs]: number;
};

/**
 * Below this an 82574L of QEMU puts off the next interrupt of the same vector. From the first one that it put off, it
 * follows each interrupt with a needless second one (until QEMU 8): a count is then at least what it should be.
 */
export const SPACING_MS = 2;

/**
 * Until no interrupt is put off any more. An 82574L of QEMU's must not lose MSI-X before: the emulator dies of an assertion
 * (until QEMU 8). A reset of the NIC forgets those it has put off, too.
 */
export async function allSent(): Promise<void> {
  await setTimeout(20 * SPACING_MS);
}

/** Lets the NIC send its receive, transmit and other causes as MSI-X vectors 0, 1 and 2. */
export function routeInterrupts(registers: Mapping): void {
  const { IMC, EIAC, IVAR } = registerMap.over(registers);
  IMC.write(0xffff_ffff);
  // Sending an interrupt clears its cause, or the next one would be no news.
  EIAC.write(Cause.RXQ0 | Cause.TXQ0 | Cause.OTHER);
  IVAR.set({ RXQ0: 0, RXQ0_VALID: 1, TXQ0: 1, TXQ0_VALID: 1, OTHER: 2, OTHER_VALID: 1 });
}

/** Makes the NIC itself interrupt for these causes. */
export function interruptFor(registers: Mapping, causes: number): void {
  registers.write32(Reg.IMS, causes);
  registers.write32(Reg.ICS, causes);
  // A read from the device pushes the writes ahead of it.
  registers.read32(Reg.STATUS);
}
