/** Waiting for the link. */
import { type LinkState } from 'vfio/kit';
import { linkState } from '../intel/link-state.js';
import { type LinkOptions, waitForLink as sleepUntilLink } from '../nic/wait-for-link.js';
import { type Interrupts } from './interrupts.js';
import { Cause, type E1000eRegisters } from './registers.js';

const LINK_CAUSES = Cause.LINK_STATUS_CHANGE | Cause.OTHER;

/** Sleeps until the link is up, woken by link-status-change interrupts. Rejects after `timeoutMs`. */
export function waitForLink(
  regs: E1000eRegisters,
  interrupts: Interrupts,
  options: LinkOptions,
): Promise<LinkState> {
  const look = (): LinkState => {
    interrupts.acknowledge(LINK_CAUSES);
    interrupts.arm(LINK_CAUSES);
    const state = linkState(regs);
    if (state.up) interrupts.mask(LINK_CAUSES);
    return state;
  };
  return sleepUntilLink(look, interrupts.other, 'is the cable plugged in and the other end up?', options);
}
