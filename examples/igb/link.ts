/** The device's address, and waiting for the link. */
import { type LinkState } from 'vfio/kit';
import { linkState } from '../intel/link-state.js';
import { macFromWords } from '../nic/mac.js';
import { type LinkOptions, waitForLink as sleepUntilLink } from '../nic/wait-for-link.js';
import { type Interrupts } from './interrupts.js';
import { type IgbRegisters } from './registers.js';

/** The address that the reset loaded from the EEPROM into the first receive-address pair. */
export function readMacAddress(regs: IgbRegisters): Uint8Array {
  const low = regs.RAL.at(0).read();
  const high = regs.RAH.at(0).read();
  if (regs.RAH.at(0).extract('VALID', high) === 0)
    throw new Error('The 82576 has no address: its EEPROM is empty or damaged.');
  return macFromWords(low, high);
}

/** Sleeps until the link is up, woken by link-status-change interrupts. Rejects after `timeoutMs`. */
export function waitForLink(
  regs: IgbRegisters,
  interrupts: Interrupts,
  options: LinkOptions,
): Promise<LinkState> {
  const look = (): LinkState => {
    interrupts.armLink();
    const state = linkState(regs);
    if (state.up) interrupts.maskLink();
    return state;
  };
  return sleepUntilLink(look, interrupts.other, 'is the cable plugged in and the other end up?', options);
}
