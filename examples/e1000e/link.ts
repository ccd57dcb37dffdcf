/** The state of the link (10.2.2.2) and waiting for it. */
import { type LinkState } from 'vfio/kit';
import { type LinkOptions, waitForLink as sleepUntilLink } from '../nic/wait-for-link.js';
import { type Interrupts } from './interrupts.js';
import { Cause, type E1000eRegisters } from './registers.js';

const SPEEDS = [10, 100, 1000, 1000];
const LINK_CAUSES = Cause.LINK_STATUS_CHANGE | Cause.OTHER;

export function linkState({ STATUS }: Pick<E1000eRegisters, 'STATUS'>): LinkState {
  const status = STATUS.read();
  return {
    up: STATUS.extract('LINK_UP', status) === 1,
    speed: SPEEDS[STATUS.extract('SPEED', status)] ?? 0,
    fullDuplex: STATUS.extract('FULL_DUPLEX', status) === 1,
  };
}

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
