/** The state of the link (10.2.2.2) and waiting for it. */
import { type Registers } from 'vfio';
import { type LinkState } from 'vfio/kit';
import { type LinkOptions, waitForLink as sleepUntilLink } from '../nic/wait-for-link.js';
import { type Interrupts } from './interrupts.js';
import { Cause, Reg, Status } from './registers.js';

const SPEEDS = [10, 100, 1000, 1000];
const LINK_CAUSES = Cause.LINK_STATUS_CHANGE | Cause.OTHER;

export function linkState(registers: Registers): LinkState {
  const status = registers.read32(Reg.STATUS);
  return {
    up: (status & Status.LINK_UP) !== 0,
    speed: SPEEDS[(status >> Status.SPEED_SHIFT) & Status.SPEED_MASK] ?? 0,
    fullDuplex: (status & Status.FULL_DUPLEX) !== 0,
  };
}

/** Sleeps until the link is up, woken by link-status-change interrupts. Rejects after `timeoutMs`. */
export function waitForLink(
  registers: Registers,
  interrupts: Interrupts,
  options: LinkOptions,
): Promise<LinkState> {
  const look = (): LinkState => {
    interrupts.acknowledge(LINK_CAUSES);
    interrupts.arm(LINK_CAUSES);
    const state = linkState(registers);
    if (state.up) interrupts.mask(LINK_CAUSES);
    return state;
  };
  return sleepUntilLink(look, interrupts.other, 'is the cable plugged in and the other end up?', options);
}
