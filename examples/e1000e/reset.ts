/** Stopping and resetting the device: 3.1.3.10 and 4.6.3. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cause, type E1000eRegisters } from './registers.js';

/** Transactions under way end within this time; a device that needs longer is reset all the same. */
const DMA_DRAIN_MS = 80;
const RESET_MS = 200;
/** What interrupt moderation (EITR) holds back comes within this time; MSI-X must still be there to take it. */
const MODERATION_MS = 2;

/**
 * Brings the device to a known state whatever its last driver left behind: no interrupts, no receiving or sending, no
 * DMA under way, registers at their reset values.
 */
export async function reset(regs: E1000eRegisters): Promise<void> {
  await stop(regs);

  regs.CTRL.update({ RESET: 1 });
  // The datasheet allows no register access in the first microsecond; a millisecond is the shortest sleep there is.
  await sleep(1);
  await until(() => regs.CTRL.get('RESET') === 0, RESET_MS, 'CTRL.RST did not clear');
  await until(() => regs.EEC.get('AUTO_READ_DONE') === 1, RESET_MS, 'the NVM was not read');

  // 4.6.3.1: the reset may itself have raised a cause and says nothing about the mask, so both are cleared again.
  maskInterrupts(regs);
  for (const word of regs.MTA) word.write(0);
  // 10.2.2.1: full duplex is what the PHY negotiates; set-link-up lets the MAC see the PHY's link at all.
  regs.CTRL.set({ FULL_DUPLEX: 1, SET_LINK_UP: 1 });
  regs.CTRL_EXT.update({ DRIVER_LOADED: 1 });
}

/** Ends all interrupts and all DMA of the device. Its settings stay. */
export async function stop(regs: E1000eRegisters): Promise<void> {
  maskInterrupts(regs);
  await sleep(MODERATION_MS);
  regs.RCTL.write(0);
  regs.TCTL.write(0);
  // 3.1.3.10: no new requests, then wait for the last one.
  regs.CTRL.update({ GIO_MASTER_DISABLE: 1 });
  const deadline = performance.now() + DMA_DRAIN_MS;
  while (regs.STATUS.get('GIO_MASTER_ENABLE') === 1 && performance.now() < deadline) await sleep(1);
}

function maskInterrupts({ IMC, ICR }: E1000eRegisters): void {
  IMC.write(Cause.ALL);
  // Writing ones clears causes; a read would clear them only under conditions (10.2.4.1).
  ICR.clear(Cause.ALL);
}

async function until(done: () => boolean, limitMs: number, complaint: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > deadline)
      throw new Error(`The 82574L did not reset: ${complaint} in ${limitMs} ms.`);
    await sleep(1);
  }
}
