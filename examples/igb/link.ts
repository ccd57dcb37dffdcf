/** The device's address, the state of the link, and waiting for it. */
import { type LinkState, type ReadOnlyRegister } from 'vfio/kit';
import { type Interrupts } from './interrupts.js';
import { type IgbRegisters } from './registers.js';

const SPEEDS = [10, 100, 1000, 1000];

/** The address that the reset loaded from the EEPROM into the first receive-address pair. */
export function readMacAddress(regs: IgbRegisters): Uint8Array {
  const low = regs.RAL.at(0).read();
  const high = regs.RAH.at(0).read();
  if (regs.RAH.at(0).extract('VALID', high) === 0)
    throw new Error('The 82576 has no address: its EEPROM is empty or damaged.');
  return Uint8Array.of(low, low >> 8, low >> 16, low >> 24, high, high >> 8);
}

/** The bits that a virtual function has, too. */
type StatusRegister = ReadOnlyRegister<
  Pick<IgbRegisters['STATUS']['fields'], 'LINK_UP' | 'SPEED' | 'FULL_DUPLEX'>
>;

export function linkState({ STATUS }: { readonly STATUS: StatusRegister }): LinkState {
  const status = STATUS.read();
  return {
    up: STATUS.extract('LINK_UP', status) === 1,
    speed: SPEEDS[STATUS.extract('SPEED', status)] ?? 0,
    fullDuplex: STATUS.extract('FULL_DUPLEX', status) === 1,
  };
}

/** Sleeps until the link is up, woken by link-status-change interrupts. Rejects after `timeoutMs`. */
export async function waitForLink(
  regs: IgbRegisters,
  interrupts: Interrupts,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<LinkState> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    // Armed before the look at STATUS: a link that comes up in between interrupts.
    interrupts.armLink();
    const state = linkState(regs);
    if (state.up) {
      interrupts.maskLink();
      return state;
    }
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    try {
      await interrupts.other.wait({ ...options, timeoutMs });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_VFIO_TIMEOUT') throw error;
      throw new Error(
        `No link after ${options.timeoutMs} ms: is the cable plugged in and the other end up?`,
        { cause: error },
      );
    }
  }
}
